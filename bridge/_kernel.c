/*
 * The steps of the audio path that are taken fifty times a second for each call, compiled.
 *
 * Rule: each of them does exactly what its twin in Python does, which is there where nothing
 * can be compiled, and which the tests hold against it; `None` leaves a case to the twin.
 * Nothing here keeps anything, and no byte is read or written without its length being known.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Base64 (RFC 4648, section 4). */

static const char ALPHABET[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint8_t SIXTH[256]; /* the six bits of a letter, or more than 63 */

static void
fill_sixths(void)
{
    memset(SIXTH, 0xFF, sizeof SIXTH);
    for (int value = 0; value < 64; value++) {
        SIXTH[(uint8_t)ALPHABET[value]] = (uint8_t)value;
    }
}

static uint8_t *
write_base64(uint8_t *to, const uint8_t *from, Py_ssize_t size)
{
    for (; size >= 3; size -= 3, from += 3) {
        uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        *to++ = ALPHABET[bits >> 18];
        *to++ = ALPHABET[bits >> 12 & 63];
        *to++ = ALPHABET[bits >> 6 & 63];
        *to++ = ALPHABET[bits & 63];
    }
    if (size > 0) {
        uint32_t bits = (uint32_t)from[0] << 16 | (size == 2 ? (uint32_t)from[1] << 8 : 0);
        *to++ = ALPHABET[bits >> 18];
        *to++ = ALPHABET[bits >> 12 & 63];
        *to++ = size == 2 ? ALPHABET[bits >> 6 & 63] : '=';
        *to++ = '=';
    }
    return to;
}

/* The bytes of `size` letters; NULL without an error where they are not plain base64. */
static PyObject *
read_base64(const uint8_t *from, Py_ssize_t size)
{
    if (size == 0 || size % 4) {
        return NULL;
    }
    Py_ssize_t padding = from[size - 1] != '=' ? 0 : from[size - 2] != '=' ? 1 : 2;
    Py_ssize_t made = size / 4 * 3 - padding;
    PyObject *audio = PyBytes_FromStringAndSize(NULL, made);
    if (audio == NULL) {
        return NULL;
    }
    uint8_t *to = (uint8_t *)PyBytes_AS_STRING(audio);
    Py_ssize_t whole = padding ? size - 4 : size;
    uint8_t wrong = 0;
    for (Py_ssize_t at = 0; at < whole; at += 4) {
        uint8_t a = SIXTH[from[at]], b = SIXTH[from[at + 1]];
        uint8_t c = SIXTH[from[at + 2]], d = SIXTH[from[at + 3]];
        wrong |= a | b | c | d;
        *to++ = (uint8_t)(a << 2 | b >> 4);
        *to++ = (uint8_t)(b << 4 | c >> 2);
        *to++ = (uint8_t)(c << 6 | d);
    }
    if (padding) {
        uint8_t a = SIXTH[from[whole]], b = SIXTH[from[whole + 1]];
        uint8_t c = padding == 1 ? SIXTH[from[whole + 2]] : 0;
        wrong |= a | b | c;
        *to++ = (uint8_t)(a << 2 | b >> 4);
        if (padding == 1) {
            *to++ = (uint8_t)(b << 4 | c >> 2);
        }
    }
    if (wrong > 63) {
        Py_DECREF(audio);
        return NULL;
    }
    return audio;
}

/* Text messages, as almost all of them are. */

/* The size of the text at `at`, which is in one frame, and where it begins: -1 if it is not. */
static Py_ssize_t
measure(const uint8_t *at, const uint8_t *end, int masked, Py_ssize_t most, const uint8_t **body)
{
    if (end - at < 2 || at[0] != 0x81 || (at[1] & 0x80) != (masked ? 0x80 : 0)) {
        return -1;
    }
    Py_ssize_t size = at[1] & 0x7f, head = masked ? 6 : 2;
    if (size == 126 && end - at >= 4) {
        size = at[2] << 8 | at[3];
        head += 2;
    }
    else if (size > 125) {
        return -1;
    }
    if (size > most || end - at < head + size) {
        return -1;
    }
    *body = at + head;
    return size;
}

/* The text, or NULL: without an error if it is not ASCII. */
static PyObject *
unmask(const uint8_t *from, Py_ssize_t size, int masked)
{
    static const uint8_t bare[4] = {0};
    PyObject *text = PyUnicode_New(size, 127);
    if (text == NULL) {
        return NULL;
    }
    const uint8_t *mask = masked ? from - 4 : bare;
    uint8_t *to = (uint8_t *)PyUnicode_1BYTE_DATA(text);
    uint8_t all = 0;
    for (Py_ssize_t at = 0; at < size; at++) {
        uint8_t letter = from[at] ^ mask[at & 3];
        to[at] = letter;
        all |= letter;
    }
    if (all > 127) {
        Py_DECREF(text);
        return NULL;
    }
    return text;
}

PyDoc_STRVAR(usual_texts_doc,
"usual_texts(data, most, masked, /)\n--\n\n"
"The texts of messages (RFC 6455, section 5) in one frame each, of at most 65535 bytes and at\n"
"most `most`, masked or not, if `data` is just that and all of it is ASCII; None for whatever\n"
"else it is.");

static PyObject *
usual_texts(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyBytes_Check(args[0]) || !PyBool_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "usual_texts takes bytes, a number and a bool");
        return NULL;
    }
    int masked = args[2] == Py_True;
    Py_ssize_t most = PyLong_AsSsize_t(args[1]);
    if (most == -1 && PyErr_Occurred()) {
        return NULL;
    }
    const uint8_t *begin = (const uint8_t *)PyBytes_AS_STRING(args[0]);
    const uint8_t *end = begin + PyBytes_GET_SIZE(args[0]);
    const uint8_t *body;
    Py_ssize_t size, frames = 0;
    for (const uint8_t *at = begin; at < end; at = body + size) {
        if ((size = measure(at, end, masked, most, &body)) < 0) {
            Py_RETURN_NONE;
        }
        frames++;
    }
    if (!frames) {
        Py_RETURN_NONE;
    }
    PyObject *texts = PyTuple_New(frames);
    if (texts == NULL) {
        return NULL;
    }
    const uint8_t *at = begin;
    for (Py_ssize_t frame = 0; frame < frames; frame++, at = body + size) {
        size = measure(at, end, masked, most, &body);
        PyObject *text = unmask(body, size, masked);
        if (text == NULL) {
            Py_DECREF(texts);
            if (PyErr_Occurred()) {
                return NULL;
            }
            Py_RETURN_NONE;
        }
        PyTuple_SET_ITEM(texts, frame, text);
    }
    return texts;
}

/* A media frame of the carrier's. */

typedef struct {
    const char *at, *end;
} Text;

static int
skip(Text *text, const char *word, size_t size)
{
    if ((size_t)(text->end - text->at) < size || memcmp(text->at, word, size)) {
        return 0;
    }
    text->at += size;
    return 1;
}

#define SKIP(text, word) skip(text, word, sizeof(word) - 1)

/* Up to 18 digits, of which there is at least one. */
static int
number(Text *text, long long *value)
{
    const char *begin = text->at;
    *value = 0;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9') {
        if (text->at - begin == 18) {
            return 0;
        }
        *value = *value * 10 + (*text->at++ - '0');
    }
    return text->at > begin;
}

/* A word of letters, digits and underlines, at most `most` long. */
static int
word(Text *text, Py_ssize_t most, Text *found)
{
    found->at = text->at;
    while (text->at < text->end) {
        char c = *text->at;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_')) {
            break;
        }
        text->at++;
    }
    found->end = text->at;
    return found->end > found->at && found->end - found->at <= most;
}

#define LONGEST (64 * 1024)

PyDoc_STRVAR(read_media_doc,
"read_media(text, /)\n--\n\n"
"Stream, audio, track, chunk, timestamp and number of a media frame as Twilio lays it out;\n"
"None for whatever else it is.");

static PyObject *
read_media(PyObject *module, PyObject *string)
{
    if (!PyUnicode_Check(string) || !PyUnicode_IS_COMPACT_ASCII(string) ||
        PyUnicode_GET_LENGTH(string) > LONGEST) {
        Py_RETURN_NONE;
    }
    const char *begin = (const char *)PyUnicode_1BYTE_DATA(string);
    Text text = {begin, begin + PyUnicode_GET_LENGTH(string)};
    Text stream = {NULL, NULL}, track;
    long long sequence, chunk, timestamp;
    if (!SKIP(&text, "{\"event\":\"media\",\"sequenceNumber\":\"") || !number(&text, &sequence) ||
        !SKIP(&text, "\",")) {
        Py_RETURN_NONE;
    }
    if (SKIP(&text, "\"streamSid\":\"") &&
        !(word(&text, 64, &stream) && SKIP(&text, "\","))) {
        Py_RETURN_NONE;
    }
    if (!SKIP(&text, "\"media\":{\"track\":\"") || !word(&text, 16, &track) ||
        !SKIP(&text, "\",\"chunk\":\"") || !number(&text, &chunk) ||
        !SKIP(&text, "\",\"timestamp\":\"") || !number(&text, &timestamp) ||
        !SKIP(&text, "\",\"payload\":\"")) {
        Py_RETURN_NONE;
    }
    const char *payload = text.at;
    const char *quote = memchr(payload, '"', (size_t)(text.end - payload));
    if (quote == NULL) {
        Py_RETURN_NONE;
    }
    text.at = quote;
    if (stream.at == NULL) {
        if (!SKIP(&text, "\"},\"streamSid\":\"") || !word(&text, 64, &stream) ||
            !SKIP(&text, "\"}")) {
            Py_RETURN_NONE;
        }
    }
    else if (!SKIP(&text, "\"}}")) {
        Py_RETURN_NONE;
    }
    if (text.at != text.end) {
        Py_RETURN_NONE;
    }
    PyObject *audio = read_base64((const uint8_t *)payload, quote - payload);
    if (audio == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(s#Ns#LLL)", stream.at, (Py_ssize_t)(stream.end - stream.at), audio,
                         track.at, (Py_ssize_t)(track.end - track.at), chunk, timestamp,
                         sequence);
}

/* A piece of the model's voice. */

/* `,"name":` with single spaces behind its signs or without. */
static int
field(Text *text, const char *name)
{
    if (!SKIP(text, ",")) {
        return 0;
    }
    SKIP(text, " ");
    if (!SKIP(text, "\"") || !skip(text, name, strlen(name)) || !SKIP(text, "\":")) {
        return 0;
    }
    SKIP(text, " ");
    return 1;
}

/* A string without anything escaped, or that would have to be. */
static int
plain_string(Text *text, Text *found)
{
    if (!SKIP(text, "\"")) {
        return 0;
    }
    found->at = text->at;
    while (text->at < text->end && *text->at != '"') {
        if (*text->at == '\\' || (unsigned char)*text->at < 0x20) {
            return 0;
        }
        text->at++;
    }
    found->end = text->at;
    return SKIP(text, "\"");
}

/* A number of at most nine digits, without a zero before others. */
static int
small_number(Text *text, long long *value)
{
    const char *begin = text->at;
    return number(text, value) && text->at - begin <= 9 && (*begin != '0' || text->at - begin == 1);
}

PyDoc_STRVAR(read_voice_doc,
"read_voice(text, kinds, /)\n--\n\n"
"Item, audio, response, output, content and event of a delta that is called one of `kinds` (a\n"
"tuple), as OpenAI lays it out; None for whatever else it is.");

static PyObject *
read_voice(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "read_voice takes a text and a tuple");
        return NULL;
    }
    if (!PyUnicode_Check(args[0]) || !PyUnicode_IS_COMPACT_ASCII(args[0])) {
        Py_RETURN_NONE;
    }
    const char *begin = (const char *)PyUnicode_1BYTE_DATA(args[0]);
    Text text = {begin, begin + PyUnicode_GET_LENGTH(args[0])};
    Text kind, event, response, item;
    long long output, content;
    if (!SKIP(&text, "{\"type\":")) {
        Py_RETURN_NONE;
    }
    SKIP(&text, " ");
    if (!plain_string(&text, &kind)) {
        Py_RETURN_NONE;
    }
    int known = 0;
    for (Py_ssize_t each = 0; each < PyTuple_GET_SIZE(args[1]) && !known; each++) {
        Py_ssize_t size;
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(args[1], each), &size);
        if (name == NULL) {
            return NULL;
        }
        known = size == kind.end - kind.at && !memcmp(name, kind.at, (size_t)size);
    }
    if (!known || !field(&text, "event_id") || !plain_string(&text, &event) ||
        !field(&text, "response_id") || !plain_string(&text, &response) ||
        !field(&text, "item_id") || !plain_string(&text, &item) ||
        !field(&text, "output_index") || !small_number(&text, &output) ||
        !field(&text, "content_index") || !small_number(&text, &content) ||
        !field(&text, "delta") || !SKIP(&text, "\"")) {
        Py_RETURN_NONE;
    }
    if (text.end - text.at < 2 || memcmp(text.end - 2, "\"}", 2)) {
        Py_RETURN_NONE;
    }
    PyObject *audio = read_base64((const uint8_t *)text.at, text.end - 2 - text.at);
    if (audio == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(s#Ns#LLs#)", item.at, (Py_ssize_t)(item.end - item.at), audio,
                         response.at, (Py_ssize_t)(response.end - response.at), output, content,
                         event.at, (Py_ssize_t)(event.end - event.at));
}

/* A message with audio, as a WebSocket's frame. */

PyDoc_STRVAR(audio_frame_doc,
"audio_frame(before, audio, behind, mask, /)\n--\n\n"
"A text message (RFC 6455, section 5): `before`, the audio in base64, `behind`, in one frame\n"
"under the four bytes of `mask`; a server's has none.");

static PyObject *
audio_frame(PyObject *module, PyObject *const *parts, Py_ssize_t count)
{
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "audio_frame takes four byte strings");
        return NULL;
    }
    for (Py_ssize_t each = 0; each < 4; each++) {
        if (!PyBytes_Check(parts[each])) {
            PyErr_SetString(PyExc_TypeError, "audio_frame takes four byte strings");
            return NULL;
        }
    }
    Py_ssize_t before = PyBytes_GET_SIZE(parts[0]), audio = PyBytes_GET_SIZE(parts[1]);
    Py_ssize_t behind = PyBytes_GET_SIZE(parts[2]), masked = PyBytes_GET_SIZE(parts[3]);
    if (masked != 0 && masked != 4) {
        PyErr_SetString(PyExc_ValueError, "a mask has four bytes");
        return NULL;
    }
    if (audio > PY_SSIZE_T_MAX / 4 || before > PY_SSIZE_T_MAX / 4 || behind > PY_SSIZE_T_MAX / 4) {
        return PyErr_NoMemory();
    }
    Py_ssize_t size = before + (audio + 2) / 3 * 4 + behind;
    Py_ssize_t head = size < 126 ? 2 : size < 0x10000 ? 4 : 10;
    PyObject *frame = PyBytes_FromStringAndSize(NULL, head + masked + size);
    if (frame == NULL) {
        return NULL;
    }
    uint8_t *to = (uint8_t *)PyBytes_AS_STRING(frame);
    to[0] = 0x81;
    to[1] = (masked ? 0x80 : 0) | (head == 2 ? (uint8_t)size : head == 4 ? 126 : 127);
    for (Py_ssize_t at = 2; at < head; at++) {
        to[at] = (uint8_t)((uint64_t)size >> 8 * (head - 1 - at));
    }
    memcpy(to + head, PyBytes_AS_STRING(parts[3]), (size_t)masked);
    uint8_t *body = to + head + masked;
    memcpy(body, PyBytes_AS_STRING(parts[0]), (size_t)before);
    uint8_t *after =
        write_base64(body + before, (const uint8_t *)PyBytes_AS_STRING(parts[1]), audio);
    memcpy(after, PyBytes_AS_STRING(parts[2]), (size_t)behind);
    if (!masked) {
        return frame;
    }

    uint32_t mask;
    memcpy(&mask, PyBytes_AS_STRING(parts[3]), 4);
    Py_ssize_t at = 0;
    for (; at + 4 <= size; at += 4) {
        uint32_t four;
        memcpy(&four, body + at, 4);
        four ^= mask;
        memcpy(body + at, &four, 4);
    }
    for (; at < size; at++) {
        body[at] ^= to[head + at % 4];
    }
    return frame;
}

/* The resampler's filter. */

#define PIECE 128        /* units that are filtered at once */
#define MOST_DOWN 3      /* samples that a unit takes */
#define LONGEST_ROW 128  /* taps for one sample that is made */

static double
sum_of_products(const double *samples, const double *taps, Py_ssize_t length)
{
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    Py_ssize_t at = 0;
    for (; at + 4 <= length; at += 4) {
        for (int each = 0; each < 4; each++) {
            sums[each] += samples[at + each] * taps[at + each];
        }
    }
    for (; at < length; at++) {
        sums[0] += samples[at] * taps[at];
    }
    return sums[0] + sums[1] + sums[2] + sums[3];
}

PyDoc_STRVAR(fir_doc,
"fir(audio, units, down, up, taps, /)\n--\n\n"
"What `units` units of `audio` (PCM16) become; each takes `down` samples and makes `up`.\n"
"`taps` (doubles) has a row for each sample that a unit makes; the first unit sees as many\n"
"samples as a row is long, and the next one sees them `down` samples later.");

static PyObject *
fir(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 5 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[4])) {
        PyErr_SetString(PyExc_TypeError, "fir takes bytes, three numbers and bytes");
        return NULL;
    }
    Py_ssize_t units = PyLong_AsSsize_t(args[1]);
    Py_ssize_t down = PyLong_AsSsize_t(args[2]), up = PyLong_AsSsize_t(args[3]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    const uint8_t *audio = (const uint8_t *)PyBytes_AS_STRING(args[0]);
    Py_ssize_t samples = PyBytes_GET_SIZE(args[0]) / 2;
    const double *taps = (const double *)PyBytes_AS_STRING(args[4]);
    Py_ssize_t cells = PyBytes_GET_SIZE(args[4]) / (Py_ssize_t)sizeof(double);
    if (down < 1 || down > MOST_DOWN || up < 1 || cells % up || cells / up < 1 ||
        cells / up > LONGEST_ROW || (uintptr_t)taps % sizeof(double)) {
        PyErr_SetString(PyExc_ValueError, "these are no taps of a resampler's");
        return NULL;
    }
    Py_ssize_t row = cells / up;
    if (units < 1 || units > samples || row + (units - 1) * down > samples) {
        PyErr_SetString(PyExc_ValueError, "so many units are not in the audio");
        return NULL;
    }
    if (units > PY_SSIZE_T_MAX / 2 / up) {
        return PyErr_NoMemory();
    }
    PyObject *made = PyBytes_FromStringAndSize(NULL, units * up * 2);
    if (made == NULL) {
        return NULL;
    }
    uint8_t *to = (uint8_t *)PyBytes_AS_STRING(made);
    double seen[LONGEST_ROW + (PIECE - 1) * MOST_DOWN];
    while (units > 0) {
        Py_ssize_t now = units < PIECE ? units : PIECE;
        Py_ssize_t length = row + (now - 1) * down;
        for (Py_ssize_t at = 0; at < length; at++) {
            seen[at] = (int16_t)(audio[2 * at] | audio[2 * at + 1] << 8);
        }
        for (Py_ssize_t unit = 0; unit < now; unit++) {
            for (Py_ssize_t each = 0; each < up; each++) {
                double sum = sum_of_products(seen + unit * down, taps + each * row, row);
                sum = sum < -32768.0 ? -32768.0 : sum > 32767.0 ? 32767.0 : sum;
                long sample = lrint(sum);
                *to++ = (uint8_t)sample;
                *to++ = (uint8_t)(sample >> 8);
            }
        }
        audio += 2 * now * down;
        units -= now;
    }
    return made;
}

static PyMethodDef functions[] = {
    {"usual_texts", (PyCFunction)(void (*)(void))usual_texts, METH_FASTCALL, usual_texts_doc},
    {"read_media", read_media, METH_O, read_media_doc},
    {"read_voice", (PyCFunction)(void (*)(void))read_voice, METH_FASTCALL, read_voice_doc},
    {"audio_frame", (PyCFunction)(void (*)(void))audio_frame, METH_FASTCALL, audio_frame_doc},
    {"fir", (PyCFunction)(void (*)(void))fir, METH_FASTCALL, fir_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "bridge._kernel",
    .m_doc = "The steps of the audio path that are taken most often, compiled.",
    .m_size = 0,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__kernel(void)
{
    fill_sixths();
    return PyModuleDef_Init(&definition);
}
