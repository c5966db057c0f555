#include "bridge.h"

#include <stdlib.h>

/* Constant bit rate for a live call: pictures are never dropped, and the buffer
   sizes are in milliseconds, so they follow the target by themselves. */
static void configure(vpx_codec_enc_cfg_t *c, const wimz_vpx_settings *s) {
	c->g_w = (unsigned)s->width;
	c->g_h = (unsigned)s->height;
	c->g_timebase.num = 1;
	c->g_timebase.den = 90000;
	c->g_threads = 1;
	c->g_lag_in_frames = 0;
	c->g_pass = VPX_RC_ONE_PASS;
	c->g_error_resilient = 0;
	c->rc_end_usage = VPX_CBR;
	c->rc_target_bitrate = (unsigned)s->bitrate_kbps;
	c->rc_dropframe_thresh = 0;
	c->rc_resize_allowed = 0;
	c->rc_min_quantizer = 2;
	c->rc_max_quantizer = 63;
	c->rc_undershoot_pct = 100;
	c->rc_overshoot_pct = 15;
	c->rc_buf_sz = 500;
	c->rc_buf_initial_sz = 250;
	c->rc_buf_optimal_sz = 300;
	c->kf_mode = VPX_KF_AUTO;
	c->kf_min_dist = 0;
	c->kf_max_dist = (unsigned)s->key_interval;
}

static int control(wimz_vpx *e, const wimz_vpx_settings *s) {
	return vpx_codec_control(&e->codec, VP8E_SET_CPUUSED, s->speed) == VPX_CODEC_OK
	    && vpx_codec_control(&e->codec, VP8E_SET_STATIC_THRESHOLD, 1) == VPX_CODEC_OK
	    && vpx_codec_control(&e->codec, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION) == VPX_CODEC_OK
	    && vpx_codec_control(&e->codec, VP8E_SET_MAX_INTRA_BITRATE_PCT, (unsigned)s->max_key_percent) == VPX_CODEC_OK;
}

wimz_vpx *wimz_vpx_open(const wimz_vpx_settings *s) {
	wimz_vpx *e = calloc(1, sizeof *e);
	if (e == NULL)
		return NULL;
	e->ticks_per_picture = s->ticks_per_picture;
	if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &e->config, 0) != VPX_CODEC_OK)
		goto fail;
	configure(&e->config, s);
	if (vpx_codec_enc_init(&e->codec, vpx_codec_vp8_cx(), &e->config, 0) != VPX_CODEC_OK)
		goto fail;
	if (!control(e, s)) {
		vpx_codec_destroy(&e->codec);
		goto fail;
	}
	return e;
fail:
	free(e);
	return NULL;
}

/* Finds the frame among the packets that libvpx has ready. */
static void take_unit(wimz_vpx *e) {
	const vpx_codec_cx_pkt_t *packet;
	vpx_codec_iter_t iterator = NULL;

	e->unit = NULL;
	e->unit_size = 0;
	while ((packet = vpx_codec_get_cx_data(&e->codec, &iterator)) != NULL) {
		if (packet->kind == VPX_CODEC_CX_FRAME_PKT) {
			e->unit = packet->data.frame.buf;
			e->unit_size = packet->data.frame.sz;
		}
	}
}

int wimz_vpx_encode(wimz_vpx *e, uint8_t *y, uint8_t *cb, uint8_t *cr,
                    int y_stride, int c_stride, int key) {
	vpx_image_t img;
	vpx_enc_frame_flags_t flags = key ? VPX_EFLAG_FORCE_KF : 0;

	if (vpx_img_wrap(&img, VPX_IMG_FMT_I420, e->config.g_w, e->config.g_h, 1, y) == NULL)
		return -1;
	img.planes[VPX_PLANE_U] = cb;
	img.planes[VPX_PLANE_V] = cr;
	img.stride[VPX_PLANE_Y] = y_stride;
	img.stride[VPX_PLANE_U] = img.stride[VPX_PLANE_V] = c_stride;

	if (vpx_codec_encode(&e->codec, &img, e->pts, e->ticks_per_picture, flags, VPX_DL_REALTIME) != VPX_CODEC_OK)
		return -1;
	e->pts += e->ticks_per_picture;
	take_unit(e);
	return 0;
}

int wimz_vpx_set_bitrate(wimz_vpx *e, int kbps) {
	e->config.rc_target_bitrate = (unsigned)kbps;
	return vpx_codec_enc_config_set(&e->codec, &e->config) == VPX_CODEC_OK ? 0 : -1;
}

void wimz_vpx_close(wimz_vpx *e) {
	if (e == NULL)
		return;
	vpx_codec_destroy(&e->codec);
	free(e);
}
