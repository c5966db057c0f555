#include "bridge.h"

#include <stdlib.h>

#include <libavutil/imgutils.h>
#include <libavutil/log.h>

static AVCodecContext *open_codec(const AVCodec *codec, int64_t max_pixels) {
	AVCodecContext *c = avcodec_alloc_context3(codec);
	if (c == NULL)
		return NULL;
	c->thread_count = 1;
	c->flags |= AV_CODEC_FLAG_LOW_DELAY;
	c->err_recognition = AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
	c->max_pixels = max_pixels;
	if (avcodec_open2(c, codec, NULL) < 0)
		avcodec_free_context(&c); /* sets c to NULL */
	return c;
}

wimz_decoder *wimz_decoder_open(enum wimz_codec codec, int64_t max_pixels) {
	const AVCodec *found = avcodec_find_decoder(codec == WIMZ_H264 ? AV_CODEC_ID_H264 : AV_CODEC_ID_VP8);
	wimz_decoder *d = calloc(1, sizeof *d);
	if (d == NULL || found == NULL) {
		free(d);
		return NULL;
	}
	av_log_set_level(AV_LOG_QUIET);
	d->codec = open_codec(found, max_pixels);
	d->packet = av_packet_alloc();
	d->frame = av_frame_alloc();
	d->later = av_frame_alloc();
	if (d->codec == NULL || d->packet == NULL || d->frame == NULL || d->later == NULL) {
		wimz_decoder_close(d);
		return NULL;
	}
	return d;
}

/* Hands the unit over; libavcodec copies and pads it, because the packet owns
   no buffer. */
static int send_unit(wimz_decoder *d, const uint8_t *unit, int size) {
	int status;
	d->packet->data = (uint8_t *)unit;
	d->packet->size = size;
	status = avcodec_send_packet(d->codec, d->packet);
	d->packet->data = NULL;
	d->packet->size = 0;
	return status;
}

/* Takes all pictures that are ready and keeps the newest. */
static int receive_newest(wimz_decoder *d) {
	int status, count = 0;
	while ((status = avcodec_receive_frame(d->codec, d->later)) >= 0) {
		av_frame_unref(d->frame);
		av_frame_move_ref(d->frame, d->later);
		count++;
	}
	return status == AVERROR(EAGAIN) ? count : -1;
}

enum wimz_result wimz_decoder_decode(wimz_decoder *d, const uint8_t *unit, int size) {
	int count;
	av_frame_unref(d->frame);
	if (send_unit(d, unit, size) < 0)
		return WIMZ_CORRUPT;
	count = receive_newest(d);
	if (count < 0)
		return WIMZ_CORRUPT;
	if (count == 0)
		return WIMZ_NOTHING;
	if (d->frame->decode_error_flags != 0 || (d->frame->flags & AV_FRAME_FLAG_CORRUPT))
		return WIMZ_CORRUPT;
	if (d->frame->format != AV_PIX_FMT_YUV420P && d->frame->format != AV_PIX_FMT_YUVJ420P)
		return WIMZ_FORMAT;
	return WIMZ_PICTURE;
}

void wimz_decoder_copy(const wimz_decoder *d, uint8_t *y, uint8_t *cb, uint8_t *cr) {
	const AVFrame *f = d->frame;
	int w = f->width, h = f->height;
	int cw = (w + 1) / 2, ch = (h + 1) / 2;
	av_image_copy_plane(y, w, f->data[0], f->linesize[0], w, h);
	av_image_copy_plane(cb, cw, f->data[1], f->linesize[1], cw, ch);
	av_image_copy_plane(cr, cw, f->data[2], f->linesize[2], cw, ch);
}

/* A new context, because avcodec_flush_buffers keeps the reordering delay that
   a damaged stream made the H.264 decoder believe in. */
void wimz_decoder_flush(wimz_decoder *d) {
	AVCodecContext *fresh = open_codec(d->codec->codec, d->codec->max_pixels);
	if (fresh == NULL) {
		avcodec_flush_buffers(d->codec);
		return;
	}
	avcodec_free_context(&d->codec);
	d->codec = fresh;
}

void wimz_decoder_close(wimz_decoder *d) {
	if (d == NULL)
		return;
	avcodec_free_context(&d->codec);
	av_packet_free(&d->packet);
	av_frame_free(&d->frame);
	av_frame_free(&d->later);
	free(d);
}
