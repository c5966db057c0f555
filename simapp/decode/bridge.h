/* A thin layer over libavcodec: one access unit in, at most one picture out. */
#ifndef WIMZ_DECODE_BRIDGE_H
#define WIMZ_DECODE_BRIDGE_H

#include <stdint.h>

#include <libavcodec/avcodec.h>

typedef struct {
	AVCodecContext *codec;
	AVPacket *packet;
	AVFrame *frame;  /* the last picture */
	AVFrame *later;  /* scratch: a picture that may replace it */
} wimz_decoder;

enum wimz_codec { WIMZ_H264, WIMZ_VP8 };

/* What a unit led to. */
enum wimz_result { WIMZ_PICTURE, WIMZ_NOTHING, WIMZ_CORRUPT, WIMZ_FORMAT };

/* Returns NULL when libavcodec lacks the decoder or memory. */
wimz_decoder *wimz_decoder_open(enum wimz_codec codec, int64_t max_pixels);

/* Decodes a unit; after WIMZ_PICTURE, frame is valid until the next call. */
enum wimz_result wimz_decoder_decode(wimz_decoder *d, const uint8_t *unit, int size);

/* Copies the picture's planes, line by line; the destination's strides are the
   width of each plane. */
void wimz_decoder_copy(const wimz_decoder *d, uint8_t *y, uint8_t *cb, uint8_t *cr);

void wimz_decoder_flush(wimz_decoder *d);

void wimz_decoder_close(wimz_decoder *d);

#endif
