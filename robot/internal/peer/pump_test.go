package peer

import (
	"testing"
	"time"

	"github.com/pion/rtp"

	"wimz.dev/live/robot/internal/stream"
)

// wireTap keeps what is written to it. It swallows packets while deaf.
type wireTap struct {
	deaf    bool
	headers []rtp.Header
}

func (w *wireTap) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	if w.deaf {
		return 0, nil
	}
	w.headers = append(w.headers, *h)
	return len(payload), nil
}

func (w *wireTap) Write(b []byte) (int, error) { return len(b), nil }

func TestPacketizer(t *testing.T) {
	tap := &wireTap{}
	out := newPacketizer(binding{writer: tap, ssrc: 7, payloadType: 102})
	out.sequence, out.base = 65535, 1<<32-3000
	start := time.Now()
	for i, c := range []struct {
		at        time.Duration
		packets   int
		timestamp uint32
	}{
		{0, 1, 1<<32 - 3000},
		{time.Second / 30, 3, 1<<32 - 1},
		{time.Second, 2, 87000},
		{26 * time.Hour, 1, uint32((26*3600*90000 - 3000) % (1 << 32))},
	} {
		tap.headers = nil
		unit := stream.Unit{Captured: start.Add(c.at), Payloads: make([][]byte, c.packets)}
		for j := range unit.Payloads {
			unit.Payloads[j] = []byte{1}
		}
		sequence := out.sequence
		sent, err := out.write(unit)
		if err != nil || !sent || len(tap.headers) != c.packets {
			t.Fatalf("unit %d: %d packets, sent %v, %v", i, len(tap.headers), sent, err)
		}
		for j, h := range tap.headers {
			want := rtp.Header{
				Version: 2, Marker: j == c.packets-1, PayloadType: 102, SSRC: 7,
				SequenceNumber: sequence + uint16(j), Timestamp: c.timestamp,
			}
			if h.Marker != want.Marker || h.SequenceNumber != want.SequenceNumber || h.Timestamp != want.Timestamp ||
				h.PayloadType != want.PayloadType || h.SSRC != want.SSRC || h.Version != want.Version {
				t.Errorf("unit %d packet %d:\ngot  %+v\nwant %+v", i, j, h, want)
			}
		}
	}
	tap.deaf = true
	if sent, err := out.write(stream.Unit{Payloads: [][]byte{{1}}}); sent || err != nil {
		t.Errorf("swallowed, but sent is %v, %v", sent, err)
	}
}
