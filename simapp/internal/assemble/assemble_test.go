package assemble_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"wimz.dev/live/simapp/internal/assemble"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// frames makes n pictures of a codec: every tenth is a key picture.
func frames(codec string, n int) (list [][]byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		body := make([]byte, 3000+i)
		for k := range body {
			body[k] = byte(1 + random.UintN(255)) // no start code inside
		}
		key := i%10 == 0
		switch {
		case codec == "vp8" && key:
			body[0] &^= 1
		case codec == "vp8":
			body[0] |= 1
		case key:
			body[0] = 0x65
			body = append(annexB([]byte{0x67, 1, 2, 3}, []byte{0x68, 4, 5}), annexB(body)...)
		default:
			body[0] = 0x41
			body = annexB(body)
		}
		list = append(list, body)
	}
	return list
}

func annexB(nals ...[]byte) (unit []byte) {
	for _, nal := range nals {
		unit = append(append(unit, 0, 0, 0, 1), nal...)
	}
	return unit
}

// packets sends the pictures at 15 a second, the sequence numbers wrapping.
func packets(codec string, pictures [][]byte) (list []*rtp.Packet) {
	var payloader rtp.Payloader = &codecs.H264Payloader{}
	if codec == "vp8" {
		payloader = &codecs.VP8Payloader{EnablePictureID: true}
	}
	packetizer := rtp.NewPacketizer(1200, 96, 1, payloader, rtp.NewFixedSequencer(65500), 90000)
	for _, picture := range pictures {
		list = append(list, packetizer.Packetize(picture, 6000)...)
	}
	return list
}

// push gives the packets to a new assembler, all of one picture at a time.
func push(t *testing.T, codec string, list []*rtp.Packet) (units []assemble.Unit, gaps int) {
	t.Helper()
	a, err := assemble.New(codec)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		at := start.Add(time.Duration(p.Timestamp-list[0].Timestamp) * time.Second / 90000)
		more, gap := a.Push(p, at)
		units = append(units, more...)
		if gap {
			gaps++
		}
	}
	return units, gaps
}

func TestEveryPictureComesOutAtItsLastPacket(t *testing.T) {
	for _, codec := range []string{"h264", "vp8"} {
		pictures := frames(codec, 40)
		units, gaps := push(t, codec, packets(codec, pictures))
		if len(units) != len(pictures) || gaps != 0 {
			t.Fatalf("%s: %d units of %d, %d gaps", codec, len(units), len(pictures), gaps)
		}
		for i, u := range units {
			if !bytes.Equal(u.Data, pictures[i]) {
				t.Errorf("%s: unit %d differs from what was sent", codec, i)
			}
			if u.Key != (i%10 == 0) || u.AfterLoss {
				t.Errorf("%s: unit %d: key %t, after loss %t", codec, i, u.Key, u.AfterLoss)
			}
		}
	}
}

func TestReorderedAndRepeatedPacketsCostNothing(t *testing.T) {
	for _, codec := range []string{"h264", "vp8"} {
		pictures := frames(codec, 40)
		list := packets(codec, pictures)
		for i := 1; i+1 < len(list); i += 2 { // the first packet tells where the stream begins
			list[i], list[i+1] = list[i+1], list[i]
		}
		list = append(list, list[5], list[6])
		units, gaps := push(t, codec, list)
		if len(units) != len(pictures) || gaps != 0 {
			t.Errorf("%s: %d units of %d, %d gaps", codec, len(units), len(pictures), gaps)
		}
	}
}

func TestALostPacketCostsItsPictureOnly(t *testing.T) {
	for _, codec := range []string{"h264", "vp8"} {
		list := packets(codec, frames(codec, 40))
		lost := list[3*3+4] // in the middle of a picture without key
		var rest []*rtp.Packet
		for _, p := range list {
			if p != lost {
				rest = append(rest, p)
			}
		}
		units, gaps := push(t, codec, rest)
		if len(units) != 39 || gaps != 1 {
			t.Fatalf("%s: %d units, %d gaps; want 39 and 1", codec, len(units), gaps)
		}
		for i, u := range units {
			if u.Timestamp == lost.Timestamp {
				t.Errorf("%s: half a picture came out", codec)
			}
			after := i > 0 && units[i-1].Timestamp+6000 != u.Timestamp
			if u.AfterLoss != after {
				t.Errorf("%s: unit %d: after loss %t", codec, i, u.AfterLoss)
			}
		}
	}
}

func TestALostFirstPacketHidesNoHalfPicture(t *testing.T) {
	for _, codec := range []string{"h264", "vp8"} {
		list := packets(codec, frames(codec, 40))
		for first := range 8 {
			units, _ := push(t, codec, list[first:])
			whole, _ := push(t, codec, list)
			if len(units) == 0 || !sameTail(whole, units) {
				t.Errorf("%s: joining at packet %d gave a picture nobody sent", codec, first)
			}
		}
	}
}

func sameTail(whole, tail []assemble.Unit) bool {
	for i := range tail {
		if !bytes.Equal(whole[len(whole)-len(tail)+i].Data, tail[i].Data) {
			return false
		}
	}
	return true
}

func TestPaddingIsNoPicture(t *testing.T) {
	list := packets("h264", frames("h264", 4))
	last := list[len(list)-1]
	padding := &rtp.Packet{Header: last.Header}
	padding.SequenceNumber++
	padding.Marker = false
	next := &rtp.Packet{Header: last.Header, Payload: []byte{0x41, 7, 7}}
	next.SequenceNumber += 2
	next.Timestamp += 6000
	units, gaps := push(t, "h264", append(list, padding, next))
	if len(units) != 5 || gaps != 0 {
		t.Errorf("%d units, %d gaps; want 5 and none", len(units), gaps)
	}
}

func TestUnknownCodec(t *testing.T) {
	if _, err := assemble.New("av1"); err == nil {
		t.Error("accepted")
	}
}

// Whatever arrives, what is handed over is bounded and begun by a first packet.
func FuzzPush(f *testing.F) {
	f.Add("h264", []byte{0x67, 1, 2}, uint16(1), uint32(1), true)
	f.Add("vp8", []byte{0x10, 0, 2}, uint16(9), uint32(6000), false)
	f.Add("h264", []byte{0x7c, 0x85, 2}, uint16(65535), uint32(1), true)
	f.Add("h264", []byte{24, 0, 9, 0x67}, uint16(65535), uint32(1), true)
	f.Fuzz(func(t *testing.T, codec string, payload []byte, seq uint16, timestamp uint32, marker bool) {
		a, err := assemble.New(codec)
		if err != nil {
			t.Skip()
		}
		good := packets(codec, frames(codec, 3))
		bad := &rtp.Packet{Payload: payload}
		bad.SequenceNumber, bad.Timestamp, bad.Marker = seq, timestamp, marker
		for i, p := range good {
			if i == 4 {
				a.Push(bad, start)
			}
			for _, u := range first(a.Push(p, start.Add(time.Duration(i)*time.Second))) {
				if len(u.Data) == 0 {
					t.Error("an empty unit")
				}
			}
		}
	})
}

func first(units []assemble.Unit, _ bool) []assemble.Unit { return units }
