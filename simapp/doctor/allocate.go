package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// turn gets a relayed address (RFC 8656 §7) from a server and sends a packet through
// it to itself.
func (v *visit) turn(ctx context.Context, s server) Result {
	if s.transport() == "dtls" {
		return Result{Outcome: Skipped, Text: printable(s.address()) + ": TURN over DTLS is not looked at"}
	}
	began := time.Now()
	allocated, back, err := v.roundTrip(ctx, s)
	if err != nil {
		text, advice := turnFault(s, err)
		return bad(advice, "%s: %s", printable(s.address()), text)
	}
	return good("%s: allocated in %.1f ms, a packet came through in %.1f ms",
		printable(s.address()), millis(allocated.Sub(began)), millis(back.Sub(allocated)))
}

// errOneWay says that a packet went in and did not come out.
var errOneWay = errors.New("the packet did not come through")

func (v *visit) roundTrip(ctx context.Context, s server) (allocated, back time.Time, err error) {
	c, err := v.dialTURN(ctx, s)
	if err != nil {
		return allocated, back, err
	}
	defer c.close()
	relayed, err := c.Allocate()
	if err != nil {
		return allocated, back, c.why(ctx, err)
	}
	defer relayed.Close() //nolint:errcheck // the server forgets it in any case
	allocated = time.Now()
	if err = through(ctx, relayed); err != nil {
		return allocated, back, c.why(context.WithoutCancel(ctx), err)
	}
	return allocated, time.Now(), nil
}

// through sends packets from a relayed address to itself until one is there.
func through(ctx context.Context, relayed net.PacketConn) error {
	const again = 250 * time.Millisecond
	packet, got := []byte("wimz doctor"), make([]byte, 64)
	for ctx.Err() == nil {
		if _, err := relayed.WriteTo(packet, relayed.LocalAddr()); err != nil {
			if ctx.Err() != nil {
				break
			}
			return err
		}
		if err := relayed.SetReadDeadline(time.Now().Add(again)); err != nil {
			return err
		}
		switch n, _, err := relayed.ReadFrom(got); {
		case err == nil && string(got[:n]) == string(packet):
			return nil
		case err != nil && !timedOut(err):
			return err
		}
	}
	return errOneWay
}

// dialTURN connects as the URL says.
func (v *visit) dialTURN(ctx context.Context, s server) (*turnClient, error) {
	if s.transport() == "tls" {
		conn, err := v.dialTLS(ctx, s.Host, s.address())
		if err != nil {
			return nil, err
		}
		return newTURNClient(ctx, turn.NewSTUNConn(conn), conn.RemoteAddr().String(), s)
	}
	conn, err := v.dialer().DialContext(ctx, s.transport(), s.address())
	if err != nil {
		return nil, err
	}
	if s.transport() == "tcp" {
		return newTURNClient(ctx, turn.NewSTUNConn(conn), conn.RemoteAddr().String(), s)
	}
	return newTURNClient(ctx, connected{conn}, conn.RemoteAddr().String(), s)
}

// turnFault says what an error of a TURN server means.
func turnFault(s server, err error) (text, advice string) {
	if refused, ok := errors.AsType[*stun.TurnError](err); ok {
		return turnRefusal(refused.ErrorCodeAttr.Code)
	}
	if text, advice = certificateFault(err); text != "" {
		return text, advice
	}
	switch {
	case errors.Is(err, errOneWay):
		return "it allocates, but does not pass packets on", "let the server reach its own relay addresses (firewall, external-ip, denied-peer-ip)"
	case errors.Is(err, stun.ErrAttributeNotFound):
		return "what answers there is no TURN server", "check the URL in the relay's TURN settings"
	case timedOut(err):
		return "no answer", fmt.Sprintf("a firewall here or there drops %s to port %d, or the server is down; "+
			"video still comes over another URL that works", s.transport(), s.Port)
	default:
		return plain(err), "check that the TURN server runs and listens there"
	}
}

// turnRefusal says what an error code means (RFC 8656 §19). pion's server says 400
// where others say 401.
func turnRefusal(code stun.ErrorCode) (text, advice string) {
	switch code {
	case stun.CodeUnauthorized, stun.CodeBadRequest, stun.CodeStaleNonce, stun.CodeWrongCredentials:
		return fmt.Sprintf("the server refuses the credential (%d)", code),
			"the relay and the TURN server do not have the same secret or key, or their clocks differ"
	case stun.CodeForbidden:
		return "the server forbids it (403)", "look at what the TURN server allows (allowed-peer-ip, denied-peer-ip)"
	case stun.CodeAllocQuotaReached, stun.CodeInsufficientCapacity:
		return fmt.Sprintf("the server has no room (%d)", code), "raise the TURN server's quota, or try again later"
	default:
		return fmt.Sprintf("the server refuses (%d)", code), "look at the TURN server's log"
	}
}
