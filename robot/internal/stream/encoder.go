package stream

import (
	"context"
	"image"
	"io"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"wimz.dev/live/robot/internal/encode"
)

// maxPayload is the longest RTP payload in bytes. With RTP header and
// extensions, an RTX number and the SRTP tag it stays within 1200 bytes, which
// passes every network, TURN's own header included.
const maxPayload = 1150

// Unit is one encoded picture, cut into RTP payloads (RFC 6184 §5.4, RFC 7741
// §4). It is shared by all who watch: nobody writes to it.
type Unit struct {
	Payloads [][]byte
	Captured time.Time // when the camera took the picture
	Key      bool      // it can be decoded without any before it
}

// encoder encodes the newest frames in one codec for its subscribers.
type encoder struct {
	stream *Stream
	codec  encode.Codec
	feed   *feed
	keys   keyLimiter
	ctx    context.Context //nolint:containedctx // the life of the encoder
	stop   context.CancelFunc
	done   chan struct{}

	subscribers []*Subscription // guarded by stream.mu; replaced, never changed
}

func newEncoder(s *Stream, codec encode.Codec, f *feed) *encoder {
	ctx, stop := context.WithCancel(s.ctx)
	return &encoder{stream: s, codec: codec, feed: f, ctx: ctx, stop: stop, done: make(chan struct{})}
}

// run encodes until the encoder is stopped, and returns nil then.
func (e *encoder) run() error {
	defer e.stop()
	source := &pictures{box: newBox(), keys: &e.keys, stopped: e.ctx.Done()}
	settings := e.stream.settings
	native, err := encode.New(source, encode.Settings{
		Codec: e.codec,
		Width: settings.Width, Height: settings.Height,
		FPS: float64(settings.FPS), BitrateKbps: settings.BitrateKbps,
		FullRange: true, // as image.YCbCr is (JFIF)
	})
	if err != nil {
		return err
	}
	defer native.Close() //nolint:errcheck // frees memory
	source.forceKey = native.ForceKeyFrame

	e.feed.add(source.box)
	defer e.feed.remove(source.box)
	payloader := newPayloader(e.codec)
	for {
		data, release, err := native.Read()
		if e.ctx.Err() != nil {
			return nil // stopped, as it was asked to
		}
		if err != nil {
			return err
		}
		unit := Unit{
			Payloads: payloader.Payload(maxPayload, data), // copies
			Captured: source.captured,
			Key:      encode.IsKeyFrame(e.codec, data),
		}
		release()
		e.publish(unit)
	}
}

func (e *encoder) publish(u Unit) {
	if u.Key {
		// Whoever asked up to now is served by this one.
		e.keys.made(time.Now())
	}
	for _, sub := range e.stream.subscribers(e) {
		sub.push(u)
	}
}

func newPayloader(codec encode.Codec) rtp.Payloader {
	if codec == encode.VP8 {
		return &codecs.VP8Payloader{}
	}
	return &codecs.H264Payloader{}
}

// pictures is what an encoder reads: the newest frames, one by one. It decides,
// as late as possible, which one becomes a key frame.
type pictures struct {
	box      *box
	keys     *keyLimiter
	forceKey func()
	stopped  <-chan struct{}
	captured time.Time // of the frame that was read last
}

// Read implements mediadevices' video.Reader.
func (p *pictures) Read() (image.Image, func(), error) {
	select {
	case frame := <-p.box.newest:
		p.captured = frame.Captured
		if p.keys.take(time.Now()) {
			p.forceKey()
		}
		return frame.Image, frame.release, nil
	case <-p.stopped:
		return nil, nil, io.EOF
	}
}
