package e2e

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

// sockets counts those that the page has opened.
func (k *talk) sockets() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.opened
}

// resumed counts how often the page has asked a relay to take its session back, by
// its ticket.
func (k *talk) resumed() int {
	return k.said(func(m wire.Message) bool { return m.Type == wire.TypeResume && m.Ticket != "" })
}

// pings counts how often the page has asked for a sign of life.
func (k *talk) pings() int {
	return k.said(func(m wire.Message) bool { return m.Type == wire.TypePing })
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
