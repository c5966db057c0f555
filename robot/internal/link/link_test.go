package link

import (
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"go.uber.org/goleak"

	"wimz.dev/live/robot/internal/quality"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const video, repair = 7, 8

// newLink returns a link, what writes to it, and what leaves it, by SSRC.
func newLink(t *testing.T, kbps int) (l *Link, write func(ssrc uint32) error, left map[uint32]int) {
	t.Helper()
	l = New(kbps, logging.NewDefaultLoggerFactory())
	registry := &interceptor.Registry{}
	if err := l.AddTo(registry); err != nil {
		t.Fatal(err)
	}
	chain, err := registry.Build("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	left = map[uint32]int{}
	writer := chain.BindLocalStream(&interceptor.StreamInfo{
		SSRC: video, SSRCRetransmission: repair,
		RTPHeaderExtensions: []interceptor.RTPHeaderExtension{{URI: sdp.TransportCCURI, ID: 1}, {URI: sdp.ABSSendTimeURI, ID: 2}},
	}, interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
		if len(h.GetExtension(1)) != 2 {
			t.Error("a packet without a transport-wide number")
		}
		var stamp rtp.AbsSendTimeExtension
		if stamp.Unmarshal(h.GetExtension(2)) != nil || time.Since(stamp.Estimate(time.Now())) > time.Second {
			t.Error("a packet that does not say when it was sent")
		}
		left[h.SSRC]++
		return len(payload), nil
	}))
	return l, func(ssrc uint32) error {
		_, err := writer.Write(&rtp.Header{Version: 2, SSRC: ssrc}, make([]byte, 1000), interceptor.Attributes{})
		return err
	}, left
}

func TestRepairsAreBounded(t *testing.T) {
	l, write, left := newLink(t, 1500)
	send := func(ssrc uint32) (n int) {
		before := left[ssrc]
		for range 100 {
			if err := write(ssrc); err != nil {
				t.Fatal(err)
			}
		}
		return left[ssrc] - before
	}
	if n := send(repair); n < 10 || n > 40 {
		t.Errorf("%d of 100 repairs at once", n)
	}
	l.SetRepairs(0)
	if n := send(repair); n > 0 {
		t.Errorf("%d repairs into a jam", n)
	}
	if n := send(video); n != 100 {
		t.Errorf("%d of 100 packets of the video", n)
	}
}

// TestBeforeTheConnection: a link can be asked before there is anything to see.
func TestBeforeTheConnection(t *testing.T) {
	l := New(700, logging.NewDefaultLoggerFactory())
	l.Feedback(interceptor.Attributes{}, time.Now())
	l.Received(rtcp.ReceptionReport{SSRC: video, FractionLost: 255}, time.Now())
	l.Limited(&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 1000, SSRCs: []uint32{video}}, time.Now())
	if s := l.State(time.Now()); s != (quality.Link{}) || l.RTT() != 0 {
		t.Errorf("%+v", s)
	}
}

// TestOnlyTheVideoCounts: what is said of other streams is not taken in.
func TestOnlyTheVideoCounts(t *testing.T) {
	l, _, _ := newLink(t, 700)
	now := time.Now()
	for _, ssrc := range []uint32{repair, 0, video} {
		l.Received(rtcp.ReceptionReport{SSRC: ssrc, FractionLost: 64}, now)
		l.Limited(&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 500_000, SSRCs: []uint32{1, ssrc}}, now)
		if s := l.State(now); (s.Loss > 0) != (ssrc == video) || (s.Limit > 0) != (ssrc == video) {
			t.Errorf("SSRC %d: %+v", ssrc, s)
		}
	}
}
