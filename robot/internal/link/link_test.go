package link

import (
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"go.uber.org/goleak"
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
		RTPHeaderExtensions: []interceptor.RTPHeaderExtension{
			{URI: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", ID: 1},
		},
	}, interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
		if len(h.GetExtension(1)) != 2 {
			t.Error("a packet without a transport-wide number")
		}
		left[h.SSRC]++
		return len(payload), nil
	}))
	return l, func(ssrc uint32) error {
		_, err := writer.Write(&rtp.Header{Version: 2, SSRC: ssrc}, make([]byte, 1000), interceptor.Attributes{})
		return err
	}, left
}

func TestEstimateIsSet(t *testing.T) {
	l, write, left := newLink(t, 1500)
	for _, want := range []int{1500, 300, 2000} {
		if want != 1500 {
			l.SetEstimate(want)
		}
		if got := l.State(time.Now()).Estimate; got != want {
			t.Errorf("estimate %d, want %d", got, want)
		}
		if err := write(video); err != nil {
			t.Error(err)
		}
	}
	if left[video] != 3 {
		t.Errorf("%d packets left", left[video])
	}
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
	l.SetEstimate(100)
	l.Feedback(interceptor.Attributes{}, time.Now())
	if s := l.State(time.Now()); s.Estimate != 700 || s.Queue != 0 || l.RTT() != 0 {
		t.Errorf("%+v", s)
	}
}
