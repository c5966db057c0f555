package simapp

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
)

// request is a webrtc_request that the relay has not answered. It carries no
// identifier, so answers are matched by order, and errors by the device they
// name.
type request struct {
	opts Options
	sent time.Time
	// answered takes the one outcome; it has room for it.
	answered  chan outcome
	abandoned bool // nobody waits any more; guarded by Phone.mu
}

type outcome struct {
	viewing *Viewing
	err     error
}

// Watch asks for video of a robot and returns when the relay has answered: a
// viewing that goes on to connect, or an error, a [*RelayError] if the relay
// refused. ctx bounds the request only; the viewing lives until it is closed.
// Concurrent calls wait for each other.
func (p *Phone) Watch(ctx context.Context, opts Options) (*Viewing, error) {
	if err := p.take(ctx); err != nil {
		return nil, err
	}
	defer func() { <-p.turn }()
	r := &request{opts: opts, sent: time.Now(), answered: make(chan outcome, 1)}
	if err := p.enqueue(r); err != nil {
		return nil, err
	}
	if err := p.Send(wire.Message{Type: wire.TypeRequest, DeviceID: opts.Device}); err != nil {
		p.withdraw(r)
		return nil, err
	}
	limit := time.NewTimer(offerTimeout)
	defer limit.Stop()
	var err error
	select {
	case o := <-r.answered:
		return o.viewing, o.err
	case <-limit.C:
		err = &TimeoutError{Missing: "the relay's answer", After: offerTimeout}
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-p.life.Done():
		err = p.Err()
	}
	p.abandon(r)
	return nil, err
}

// take waits for the turn to have the one open request.
func (p *Phone) take(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.life.Done():
		return p.Err()
	}
}

func (p *Phone) enqueue(r *request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return ErrClosed
	}
	p.requests = slices.DeleteFunc(p.requests, func(old *request) bool {
		return time.Since(old.sent) > offerTimeout // the relay will not answer it any more
	})
	p.requests = append(p.requests, r)
	return nil
}

// withdraw forgets a request that was not sent.
func (p *Phone) withdraw(r *request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = slices.DeleteFunc(p.requests, func(other *request) bool { return other == r })
}

// abandon leaves a request in the queue, because its answer will still come,
// and closes the viewing if it came just now.
func (p *Phone) abandon(r *request) {
	p.mu.Lock()
	r.abandoned = true
	p.mu.Unlock()
	select {
	case o := <-r.answered:
		if o.viewing != nil {
			o.viewing.Close()
		}
	default:
	}
}

// accept makes a viewing of credentials. Those that nobody waits for any more
// are given back; fresh ones of a viewing that has ended are nobody's.
func (p *Phone) accept(m wire.Message) {
	p.mu.Lock()
	if slices.Contains(p.past, m.SessionID) {
		p.mu.Unlock()
		return
	}
	r := p.popRequest("")
	if r == nil || r.abandoned || p.closing {
		p.mu.Unlock()
		_ = p.Send(wire.Message{Type: wire.TypeClose, SessionID: m.SessionID, Reason: wire.ReasonAppLeft})
		return
	}
	v, err := newViewing(p, m, r)
	if err == nil {
		p.viewings[v.id] = v
	}
	p.mu.Unlock()
	if err == nil {
		go v.run(*m.ICEServers)
	}
	r.answered <- outcome{v, err}
}

// refuse gives an error to the request it answers. One that is about a session
// of the past answers none.
func (p *Phone) refuse(m wire.Message) {
	if m.Code == wire.CodeSessionUnknown {
		return
	}
	p.mu.Lock()
	r := p.popRequest(m.DeviceID)
	p.mu.Unlock()
	if r != nil {
		r.answered <- outcome{err: errorIn(m)}
	}
}

// popRequest takes the oldest request for the device, or else the oldest one,
// which may have left the choice of the device to the relay.
func (p *Phone) popRequest(device wire.DeviceID) *request {
	if len(p.requests) == 0 {
		return nil
	}
	i := slices.IndexFunc(p.requests, func(r *request) bool { return r.opts.Device == device })
	i = max(i, 0)
	r := p.requests[i]
	p.requests = slices.Delete(p.requests, i, i+1)
	return r
}

// receive is called by the socket with every message.
func (p *Phone) receive(m wire.Message) {
	if p.cfg.OnMessage != nil {
		p.cfg.OnMessage(m)
	}
	p.mu.Lock()
	v := p.viewings[m.SessionID]
	ofCommand := p.driving.hear(m)
	p.mu.Unlock()
	switch {
	case ofCommand:
	case v != nil:
		v.post(func() { v.handle(m) })
	case m.Type == wire.TypeCredentials:
		p.accept(m)
	case m.Type == wire.TypeError:
		p.refuse(m)
	}
}

// onUp resumes what went on while the socket was away.
func (p *Phone) onUp() {
	p.mu.Lock()
	moved := p.moved
	p.moved = false
	viewings := slices.Collect(maps.Values(p.viewings))
	p.mu.Unlock()
	for _, v := range viewings {
		v.post(func() { v.resume(moved) })
	}
}

// onDown fails the open requests and commands: their answers went to the lost
// socket.
func (p *Phone) onDown(cause error) {
	p.mu.Lock()
	p.moved = p.moved || errors.Is(cause, client.ErrMoved)
	lost := p.requests
	p.requests = nil
	p.driving.settle(errors.Join(client.ErrOffline, cause))
	p.mu.Unlock()
	for _, r := range lost {
		r.answered <- outcome{err: errors.Join(client.ErrOffline, cause)}
	}
}

// forget removes a viewing that has ended.
func (p *Phone) forget(v *Viewing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.viewings, v.id)
	p.past = append(p.past, v.id)
	p.past = p.past[max(0, len(p.past)-maxPast):]
}
