// Package pump turns a native video encoder into the encoder that the rest of
// the robot sees. It pulls pictures from a reader, checks them, hands them to
// the native encoder one at a time and lends out what comes back; it also sees
// to it that a key frame somebody asked for is never forgotten.
//
// What is left to an Engine is nothing but its C library.
package pump

import (
	"errors"
	"fmt"
	"image"
	"io"
	"sync"
	"sync/atomic"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/io/video"
)

// Engine is a native encoder. The Encoder calls it from one goroutine at a
// time, and not at all after Close.
type Engine interface {
	// Encode encodes a picture that was checked to be 4:2:0 and of the right
	// size, as a key frame if key is set. Every picture gives one access unit,
	// which stays valid until the next call.
	Encode(img *image.YCbCr, key bool) ([]byte, error)
	// SetBitRate sets the target, in bits per second, from the next picture on.
	SetBitRate(bps int) error
	// Close frees the native encoder.
	Close()
}

// Encoder encodes the pictures of one source. It implements
// codec.ReadCloser, and its Controller implements codec.KeyFrameController and
// codec.BitRateController. One goroutine calls Read; the other methods may be
// called at any time from anywhere.
type Encoder struct {
	source        video.Reader
	width, height int

	keyWanted atomic.Bool
	units     sync.Pool // of *unit

	mu     sync.Mutex
	engine Engine // nil when closed; guarded by mu
}

// New returns an encoder for the pictures of source, which must be of the given
// size. It owns the engine from now on.
func New(source video.Reader, width, height int, engine Engine) *Encoder {
	return &Encoder{source: source, width: width, height: height, engine: engine}
}

// Read takes one picture from the source and returns its access unit. The unit
// belongs to the caller until release is called (once; not calling it only
// costs an allocation). Errors of the source are returned as they are; after
// Close, Read returns io.EOF. A picture that is no 4:2:0 *image.YCbCr of the
// right size is an error, and so is a failure of the native encoder; the next
// Read goes on with the next picture.
func (e *Encoder) Read() (data []byte, release func(), err error) {
	if e.closed() {
		return nil, func() {}, io.EOF
	}
	img, done, err := e.source.Read()
	if err != nil {
		return nil, func() {}, err
	}
	if done != nil {
		defer done()
	}
	picture, err := e.check(img)
	if err != nil {
		return nil, func() {}, err
	}
	return e.encode(picture)
}

// ForceKeyFrame makes the next picture that is read a key frame. It does not
// wait, and several calls before that picture ask for one key frame.
func (e *Encoder) ForceKeyFrame() {
	e.keyWanted.Store(true)
}

// SetBitrate sets the target in kilobits per second (1000 bits) from the next
// picture on. It waits at most for the picture being encoded.
func (e *Encoder) SetBitrate(kbps int) error {
	return e.setBitRate(kbps * 1000)
}

// Controller returns the encoder's codec.KeyFrameController and
// codec.BitRateController, in one value.
func (e *Encoder) Controller() codec.EncoderController {
	return controller{e}
}

// Close frees the native encoder. It waits at most for the picture being
// encoded, not for the source; a Read that is waiting for the source returns
// io.EOF when the source next answers. Access units still lent out stay valid.
// Closing twice is no error.
func (e *Encoder) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.engine != nil {
		e.engine.Close()
		e.engine = nil
	}
	return nil
}

func (e *Encoder) closed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.engine == nil
}

func (e *Encoder) encode(img *image.YCbCr) ([]byte, func(), error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.engine == nil {
		return nil, func() {}, io.EOF
	}
	// Taken before encoding: a request that arrives meanwhile is for the next
	// picture, because this one may already be past deciding its type.
	key := e.keyWanted.Swap(false)
	data, err := e.engine.Encode(img, key)
	if err == nil && len(data) == 0 {
		err = errors.New("the encoder kept the picture back")
	}
	if err != nil {
		if key {
			e.keyWanted.Store(true)
		}
		return nil, func() {}, fmt.Errorf("encode: %w", err)
	}
	u := lend(&e.units, data)
	return u.data, u.release, nil
}

func (e *Encoder) setBitRate(bps int) error {
	if err := checkBitRate(bps); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.engine == nil {
		return io.ErrClosedPipe
	}
	return e.engine.SetBitRate(bps)
}

// controller speaks mediadevices' control interfaces.
type controller struct{ encoder *Encoder }

func (c controller) ForceKeyFrame() error {
	c.encoder.ForceKeyFrame()
	return nil
}

func (c controller) SetBitRate(bps int) error {
	return c.encoder.setBitRate(bps)
}
