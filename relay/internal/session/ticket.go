package session

import (
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

// ticketLife is how long a ticket counts. The parties get another one with every
// renewal of their credentials, which are none older than this; a session without
// credentials that expire survives restarts for as long.
const ticketLife = turn.MaxTTL

// ticket is what a relay has to know of a session to take it back.
type ticket struct {
	session wire.SessionID
	user    store.UserID
	device  wire.DeviceID
	until   time.Time // the end of its credentials, zero if they have none
}

// isFor reports whether somebody is a party of the session. A ticket in other
// hands is worth nothing.
func (t *ticket) isFor(from bus.Sender) bool {
	switch from.Party {
	case wire.App:
		return from.User == t.user
	case wire.Robot:
		return from.Device == t.device
	default:
		return false
	}
}

// tickets signs and reads tickets: JWT (RFC 7519) with HS256. The first key
// signs, all verify; without keys there are no tickets.
type tickets struct {
	keys   [][]byte
	parser *jwt.Parser
}

// stub is a ticket on the wire. The identifier of the session is its jti.
type stub struct {
	jwt.RegisteredClaims

	Device wire.DeviceID    `json:"dev"`
	Until  *jwt.NumericDate `json:"until,omitempty"`
}

func newTickets(keys [][]byte) tickets {
	return tickets{keys, jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
	)}
}

func (t *tickets) sign(of ticket) wire.Ticket {
	if len(t.keys) == 0 {
		return ""
	}
	now := time.Now()
	s := stub{
		RegisteredClaims: jwt.RegisteredClaims{
			ID: string(of.session), Subject: string(of.user),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ticketLife)),
		},
		Device: of.device,
	}
	if !of.until.IsZero() {
		s.Until = jwt.NewNumericDate(of.until)
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, s).SignedString(t.keys[0])
	if err != nil {
		panic("session: " + err.Error()) // strings and numbers encode, and an HMAC takes any key
	}
	return wire.Ticket(text)
}

// read returns what one of our own tickets says, while it counts.
func (t *tickets) read(given wire.Ticket) (of ticket, ok bool) {
	if given == "" || len(given) > wire.MaxTicket {
		return of, false
	}
	var s stub
	if _, err := t.parser.ParseWithClaims(string(given), &s, t.trusted); err != nil {
		return of, false
	}
	of = ticket{session: wire.SessionID(s.ID), user: store.UserID(s.Subject), device: s.Device}
	if s.Until != nil {
		of.until = s.Until.Time
	}
	return of, true
}

func (t *tickets) trusted(*jwt.Token) (any, error) {
	var set jwt.VerificationKeySet
	for _, key := range t.keys {
		set.Keys = append(set.Keys, key)
	}
	return set, nil
}
