/* A thin layer over libx264: one picture in, one access unit out. */
#ifndef WIMZ_X264_BRIDGE_H
#define WIMZ_X264_BRIDGE_H

#include <stdint.h>

#include <x264.h>

typedef struct {
	int width, height;
	uint32_t fps_num, fps_den;
	int bitrate_kbps;
	int vbv_ms;
	int key_interval; /* pictures */
	int full_range;
} wimz_x264_settings;

typedef struct {
	x264_t *codec;
	x264_param_t param;
	int vbv_ms;
	int64_t pictures; /* encoded so far */
	uint8_t *unit;    /* the last access unit, owned by codec */
	int unit_size;
} wimz_x264;

/* Returns NULL when libx264 refuses the settings. */
wimz_x264 *wimz_x264_open(const wimz_x264_settings *settings);

/* Encodes a picture; unit and unit_size are valid until the next call.
   The planes are only read during the call. Returns 0, or -1 on failure. */
int wimz_x264_encode(wimz_x264 *e, uint8_t *y, uint8_t *cb, uint8_t *cr,
                     int y_stride, int c_stride, int key);

/* Sets the target and, with it, the VBV. Returns 0, or -1 on failure. */
int wimz_x264_set_bitrate(wimz_x264 *e, int kbps);

void wimz_x264_close(wimz_x264 *e);

#endif
