"""Codecs, resampling and frames: samples in, samples out, no clock and no socket."""
