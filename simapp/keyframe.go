package simapp

import (
	"context"
	"sync/atomic"
	"time"
)

// keyInterval is the time between two requests for a key frame: a round trip,
// and the time a frame takes.
const keyInterval = 300 * time.Millisecond

// keyRequester asks for key frames, at most once per interval, and again until
// one has come. A request inside the interval is sent at its end, not dropped.
type keyRequester struct {
	send    func()
	needed  atomic.Bool
	waiting chan struct{} // holds a token while there is something new to do
}

func newKeyRequester(send func()) *keyRequester {
	return &keyRequester{send: send, waiting: make(chan struct{}, 1)}
}

// need says that decoding cannot go on without a key frame.
func (k *keyRequester) need() {
	if k.needed.Swap(true) {
		return
	}
	select {
	case k.waiting <- struct{}{}:
	default:
	}
}

// satisfied says that a key frame has come.
func (k *keyRequester) satisfied() { k.needed.Store(false) }

// run sends the requests until ctx ends.
func (k *keyRequester) run(ctx context.Context) {
	for {
		select {
		case <-k.waiting:
		case <-ctx.Done():
			return
		}
		for k.needed.Load() {
			k.send()
			select {
			case <-time.After(keyInterval):
			case <-ctx.Done():
				return
			}
		}
	}
}
