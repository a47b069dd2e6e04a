"""The stores behind the door CallStore."""
