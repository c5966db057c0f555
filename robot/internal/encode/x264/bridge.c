#include "bridge.h"

#include <stdlib.h>

/* A constant bit rate: with the VBV filled at exactly the target, libx264 drops
   its long-term accounting, under which a changed target would be made up for
   the past for minutes. The VBV's size bounds how large a picture can get. */
static void set_rate(wimz_x264 *e, int kbps) {
	e->param.rc.i_rc_method = X264_RC_ABR;
	e->param.rc.i_bitrate = kbps;
	e->param.rc.i_vbv_max_bitrate = kbps;
	e->param.rc.i_vbv_buffer_size = (int)((int64_t)kbps * e->vbv_ms / 1000);
}

/* Pixels as in JFIF: BT.601 matrix, and sRGB when they use the full range. */
static void set_colour(x264_param_t *p, int full_range) {
	p->vui.i_colmatrix = 6;
	if (full_range) {
		p->vui.b_fullrange = 1;
		p->vui.i_colorprim = 1;
		p->vui.i_transfer = 13;
	}
}

static void set_stream(x264_param_t *p, const wimz_x264_settings *s) {
	p->i_csp = X264_CSP_I420;
	p->i_width = s->width;
	p->i_height = s->height;
	p->i_fps_num = p->i_timebase_den = s->fps_num;
	p->i_fps_den = p->i_timebase_num = s->fps_den;
	p->b_vfr_input = 0;
	p->i_level_idc = 31;
	p->i_keyint_max = s->key_interval;
	p->i_scenecut_threshold = 0;
	p->i_bframe = 0;
	p->i_threads = 1;
	p->b_sliced_threads = 0;
	p->i_slice_count = 1;
	p->b_repeat_headers = 1;
	p->b_annexb = 1;
	p->i_log_level = X264_LOG_NONE;
}

wimz_x264 *wimz_x264_open(const wimz_x264_settings *s) {
	wimz_x264 *e = calloc(1, sizeof *e);
	if (e == NULL)
		return NULL;
	e->vbv_ms = s->vbv_ms;
	if (x264_param_default_preset(&e->param, "ultrafast", "zerolatency") < 0)
		goto fail;
	set_stream(&e->param, s);
	set_colour(&e->param, s->full_range);
	set_rate(e, s->bitrate_kbps);
	/* Costs little and takes the blocks out of a low bit rate. */
	e->param.b_deblocking_filter = 1;
	if (x264_param_apply_profile(&e->param, "baseline") < 0)
		goto fail;
	e->codec = x264_encoder_open(&e->param);
	if (e->codec == NULL)
		goto fail;
	return e;
fail:
	free(e);
	return NULL;
}

/* libx264 announces baseline as 42c0; 42e0 says in addition that the stream
   keeps the rules of the extended profile, which constrained baseline does
   (ITU-T H.264, A.2.1.1), and is what the session description says. */
static void mark_constrained_baseline(const x264_nal_t *nal) {
	int at = (nal->b_long_startcode ? 4 : 3) + 2; /* header, profile_idc */
	if (nal->i_type == NAL_SPS && nal->i_payload > at)
		nal->p_payload[at] |= 0x20;
}

int wimz_x264_encode(wimz_x264 *e, uint8_t *y, uint8_t *cb, uint8_t *cr,
                     int y_stride, int c_stride, int key) {
	x264_picture_t in, out;
	x264_nal_t *nals = NULL;
	int count = 0, size, i;

	x264_picture_init(&in);
	in.i_type = key ? X264_TYPE_IDR : X264_TYPE_AUTO;
	in.i_pts = e->pictures++;
	in.img.i_csp = X264_CSP_I420;
	in.img.i_plane = 3;
	in.img.plane[0] = y;
	in.img.plane[1] = cb;
	in.img.plane[2] = cr;
	in.img.i_stride[0] = y_stride;
	in.img.i_stride[1] = in.img.i_stride[2] = c_stride;

	e->unit = NULL;
	e->unit_size = 0;
	size = x264_encoder_encode(e->codec, &nals, &count, &in, &out);
	if (size < 0)
		return -1;
	if (size == 0 || count == 0)
		return 0;
	for (i = 0; i < count; i++)
		mark_constrained_baseline(&nals[i]);
	e->unit = nals[0].p_payload; /* the others follow it in memory */
	e->unit_size = size;
	return 0;
}

int wimz_x264_set_bitrate(wimz_x264 *e, int kbps) {
	set_rate(e, kbps);
	return x264_encoder_reconfig(e->codec, &e->param) < 0 ? -1 : 0;
}

void wimz_x264_close(wimz_x264 *e) {
	if (e == NULL)
		return;
	x264_encoder_close(e->codec);
	free(e);
}
