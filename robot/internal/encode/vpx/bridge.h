/* A thin layer over libvpx's VP8 encoder: one picture in, one frame out. */
#ifndef WIMZ_VPX_BRIDGE_H
#define WIMZ_VPX_BRIDGE_H

#include <stddef.h>
#include <stdint.h>

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

typedef struct {
	int width, height;
	uint32_t ticks_per_picture; /* of the 90 kHz clock */
	int bitrate_kbps;
	int key_interval; /* pictures */
	int max_key_percent; /* size bound of a key frame, of the mean frame */
	int speed;
} wimz_vpx_settings;

typedef struct {
	vpx_codec_ctx_t codec;
	vpx_codec_enc_cfg_t config;
	uint32_t ticks_per_picture;
	int64_t pts;
	const uint8_t *unit; /* the last frame, owned by codec */
	size_t unit_size;
} wimz_vpx;

/* Returns NULL when libvpx refuses the settings. */
wimz_vpx *wimz_vpx_open(const wimz_vpx_settings *settings);

/* Encodes a picture; unit and unit_size are valid until the next call.
   The planes are only read during the call. Returns 0, or -1 on failure. */
int wimz_vpx_encode(wimz_vpx *e, uint8_t *y, uint8_t *cb, uint8_t *cr,
                    int y_stride, int c_stride, int key);

/* Sets the target. Returns 0, or -1 on failure. */
int wimz_vpx_set_bitrate(wimz_vpx *e, int kbps);

void wimz_vpx_close(wimz_vpx *e);

#endif
