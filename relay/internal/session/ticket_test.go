package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// aTicket is of the session that the other tests are about.
func aTicket() ticket { return ticket{session: id, user: "owner", device: "robot"} }

func TestTickets(t *testing.T) {
	ours := newTickets([][]byte{[]byte("new key"), []byte("old key")})
	for name, until := range map[string]time.Time{"without end": {}, "with an end": time.Unix(1_900_000_000, 0)} {
		want := aTicket()
		want.until = until
		got, ok := ours.read(ours.sign(want))
		if !ok || !got.until.Equal(until) || got.session != want.session || got.user != want.user || got.device != want.device {
			t.Errorf("%s: %t, %+v", name, ok, got)
		}
	}
	for name, c := range map[string]struct {
		keys []string
		want bool
	}{
		"the key that signs": {[]string{"new key"}, true},
		"a key of before":    {[]string{"old key", "oldest key"}, true},
		"another key":        {[]string{"nobody's key"}, false},
		"no key":             {nil, false},
	} {
		var keys [][]byte
		for _, key := range c.keys {
			keys = append(keys, []byte(key))
		}
		theirs := newTickets(keys)
		if _, ok := ours.read(theirs.sign(aTicket())); ok != c.want {
			t.Errorf("%s: read is %t", name, ok)
		}
	}
}

// TestTicketsEnd: one is good for as long as the longest credentials.
func TestTicketsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newTickets([][]byte{[]byte("key")})
		given := keys.sign(aTicket())
		time.Sleep(ticketLife - time.Second) //nolint:forbidigo // the time of the bubble: nobody waits
		if _, ok := keys.read(given); !ok {
			t.Error("it counts no more")
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // likewise
		if _, ok := keys.read(given); ok {
			t.Error("it counts for ever")
		}
	})
}

// TestForgedTickets: what is not ours, or was changed, is nothing.
func TestForgedTickets(t *testing.T) {
	keys := newTickets([][]byte{[]byte("key")})
	good := string(keys.sign(aTicket()))
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	for name, forged := range map[string]string{
		"nothing":           "",
		"text":              "ticket",
		"no signature":      head + "." + body + ".",
		"not signed (none)": "eyJhbGciOiJub25lIn0." + body + ".",
		"another body":      head + "." + strings.ToUpper(body) + "." + signature,
		"cut":               good[:len(good)-1],
		"more":              good + "A",
		"too long":          good + strings.Repeat("A", wire.MaxTicket),
	} {
		if _, ok := keys.read(wire.Ticket(forged)); ok {
			t.Errorf("%s: read", name)
		}
	}
}

// FuzzTickets: nothing but what was signed is read.
func FuzzTickets(f *testing.F) {
	keys := newTickets([][]byte{[]byte("key")})
	good := keys.sign(aTicket())
	f.Add(string(good))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, given string) {
		if got, ok := keys.read(wire.Ticket(given)); ok && got != aTicket() {
			t.Errorf("%q is read as %+v", given, got)
		}
	})
}

// TestTicketLength: the longest names fit.
func TestTicketLength(t *testing.T) {
	keys := newTickets([][]byte{[]byte("key")})
	longest := strings.Repeat("x", wire.MaxIDLen)
	given := keys.sign(ticket{
		session: wire.SessionID(longest[:36]), user: store.UserID(longest[:36]), device: wire.DeviceID(longest),
		until: time.Now(),
	})
	if len(given) > wire.MaxTicket || len(given) < 200 {
		t.Errorf("%d bytes", len(given))
	}
	if _, ok := keys.read(given); !ok {
		t.Error("not read")
	}
}

func TestWhoseTicket(t *testing.T) {
	mine := aTicket()
	for _, one := range everybody.split() {
		if got, want := mine.isFor(one.sender()), one&(app|sibling|robot) != 0; got != want {
			t.Errorf("%s: %t", names[one], got)
		}
	}
	if mine.isFor(bus.Sender{Party: wire.Relay, User: "owner", Device: "robot"}) {
		t.Error("the relay is no party")
	}
}
