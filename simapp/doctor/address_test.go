package doctor

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers every question with a code, or not at all; the address it knows
// is this machine's.
func nameServer(t *testing.T, code dnsmessage.RCode, silent bool) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		packet := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if silent || m.Unpack(packet[:n]) != nil {
				continue
			}
			m.Response, m.RCode, m.Additionals = true, code, nil
			if q := m.Questions[0]; code == dnsmessage.RCodeSuccess && q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		asking, err := (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
		if err == nil { // the resolver's patience is longer than that of who asks it
			context.AfterFunc(t.Context(), func() { _ = asking.Close() })
		}
		return asking, err
	}}
}

func TestNames(t *testing.T) {
	for name, c := range map[string]struct {
		resolver *net.Resolver
		want     Outcome
		text     string
	}{
		"a name":            {nameServer(t, dnsmessage.RCodeSuccess, false), OK, "relay.example.com. is 127.0.0.1"},
		"a name of nobody":  {nameServer(t, dnsmessage.RCodeNameError, false), Failed, "there is no such name: relay.example.com"},
		"no name server":    {nameServer(t, dnsmessage.RCodeSuccess, true), Failed, "the name server does not answer for relay.example.com"},
		"a troubled server": {nameServer(t, dnsmessage.RCodeServerFailure, false), Failed, "the name server does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			results := examine(t, relay{}, func(cfg *Config) {
				cfg.RelayURL = strings.Replace(cfg.RelayURL, "127.0.0.1", "relay.example.com.", 1)
				cfg.patience, cfg.resolver = 300*time.Millisecond, c.resolver
			})
			if got := of(results, "dns"); got.Outcome != c.want || !strings.Contains(got.Text, c.text) {
				t.Errorf("%+v", got)
			}
			if health := of(results, "health"); (health.Outcome == OK) != (c.want == OK) {
				t.Errorf("%+v", health)
			}
		})
	}
}

func TestPlainWords(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, "no answer in time"},
		{errors.New("x\x1b[2Jy"), "x\uFFFD[2Jy"},
		{errors.New(strings.Repeat("x", 1000)), strings.Repeat("x", maxText)},
	} {
		if got := plain(c.err); got != c.want {
			t.Errorf("%v: %s", c.err, got)
		}
	}
}
