package link

import (
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
)

// tap sees the packets that leave, and stamps them. It makes itself for the one
// connection there is.
type tap struct {
	interceptor.NoOp
	link *Link
}

// NewInterceptor implements interceptor.Factory.
func (t *tap) NewInterceptor(string) (interceptor.Interceptor, error) { return t, nil }

// BindLocalStream implements interceptor.Interceptor. There is one stream. What
// repairs it goes out uncounted: receivers like pion's say of each repair that it was
// lost.
func (t *tap) BindLocalStream(info *interceptor.StreamInfo, writer interceptor.RTPWriter) interceptor.RTPWriter {
	l := t.link
	l.mu.Lock()
	l.video = info.SSRC
	l.mu.Unlock()
	stamp := uint8(0)
	for _, e := range info.RTPHeaderExtensions {
		if e.URI == sdp.ABSSendTimeURI {
			stamp = uint8(e.ID) //nolint:gosec // G115: 1 to 14
		}
	}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		now := time.Now()
		if h.SSRC != info.SSRC {
			if !l.repairs.AllowN(now, len(payload)) {
				return len(payload), nil // as if it were lost again
			}
		} else {
			l.mu.Lock()
			l.meter.sent(h.MarshalSize()+len(payload), now)
			l.mu.Unlock()
		}
		if stamp > 0 {
			if err := h.SetExtension(stamp, sendTime(now)); err != nil {
				return 0, err
			}
		}
		return writer.Write(h, payload, a)
	})
}

// sendTime is a moment in 1/2^18 s, of which 24 bits are told.
func sendTime(t time.Time) []byte {
	stamp, _ := rtp.NewAbsSendTimeExtension(t).Marshal() // it returns no error
	return stamp
}
