package browser

import (
	"encoding/json"
	"sync"

	"github.com/chromedp/cdproto/network"

	"wimz.dev/live/relay/wire"
)

// talk is what the page says to the relay.
type talk struct {
	mu     sync.Mutex
	opened int            // sockets; guarded by mu
	sent   []wire.Message // guarded by mu
}

func (k *talk) hear(event any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch e := event.(type) {
	case *network.EventWebSocketCreated:
		k.opened++
	case *network.EventWebSocketFrameSent:
		var m wire.Message
		if json.Unmarshal(e.Response.PayloadData, &m) == nil {
			k.sent = append(k.sent, m)
		}
	}
}

// Sockets counts the sockets that the page has opened.
func (t *Tab) Sockets() int {
	t.talk.mu.Lock()
	defer t.talk.mu.Unlock()
	return t.talk.opened
}

// Resumed counts how often the page has asked a relay to take its session back, by
// its ticket.
func (t *Tab) Resumed() int {
	return t.talk.said(func(m wire.Message) bool { return m.Type == wire.TypeResume && m.Ticket != "" })
}

// Pings counts how often the page has asked for a sign of life.
func (t *Tab) Pings() int {
	return t.talk.said(func(m wire.Message) bool { return m.Type == wire.TypePing })
}

// said counts the messages that are like this.
func (k *talk) said(like func(wire.Message) bool) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.sent {
		if like(m) {
			n++
		}
	}
	return n
}
