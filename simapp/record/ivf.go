package record

import (
	"encoding/binary"
	"io"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/ivfwriter"

	"wimz.dev/live/robot/rtc"
	"wimz.dev/live/simapp"
)

// vp8Start is the RTP payload descriptor of a frame's first byte (RFC 7741 §4.2):
// start of partition 0.
const vp8Start = 0x10

// ivf is a file of VP8 frames, each with its time.
type ivf struct {
	frames *ivfwriter.IVFWriter
	to     *file
	newest int64 // of their times
}

func openIVF(to *file, first simapp.Coded) (writer, error) {
	w, err := ivfwriter.NewWith(struct{ io.Writer }{to}, // the library only writes: see close
		ivfwriter.WithCodec(webrtc.MimeTypeVP8),
		ivfwriter.WithFrameRate(1, rtc.ClockRate), ivfwriter.WithDirectPTS(),
		ivfwriter.WithWidthAndHeight(uint16(first.Size.X), uint16(first.Size.Y))) //nolint:gosec // G115: the decoder bounds them
	return &ivf{frames: w, to: to}, err
}

// picture gives the library the frame as the payload of one packet.
func (f *ivf) picture(p simapp.Coded, at int64) error {
	f.newest = at
	return f.frames.WriteRTP(&rtp.Packet{
		Header:  rtp.Header{Marker: true, Timestamp: uint32(at)}, //nolint:gosec // G115: wraps after 13 hours
		Payload: append([]byte{vp8Start}, p.Data...),
	})
}

// close writes the length in ticks into the header, as ffmpeg does and players read it.
// The library would write the number of frames there.
func (f *ivf) close() error {
	const lengthAt = 24
	_, err := f.to.WriteAt(binary.LittleEndian.AppendUint32(nil, uint32(f.newest)), lengthAt) //nolint:gosec // G115: wraps after 13 hours
	return err
}
