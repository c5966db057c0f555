package record

import (
	"encoding/binary"
	"errors"

	"github.com/at-wat/ebml-go/mkv"
	"github.com/at-wat/ebml-go/mkvcore"
	"github.com/at-wat/ebml-go/webm"

	"wimz.dev/live/robot/rtc"
	"wimz.dev/live/simapp"
)

const (
	videoTrack = 1
	// indexSize is what is left free for the index at the front of a file, in
	// bytes: 200 places to jump to. A longer recording has fewer than it could.
	indexSize = 4096
	// clusterTime is how long a stretch between two places to jump to is at
	// least, if there are key pictures, in milliseconds.
	clusterTime = 2000
	// maxCluster is what the times in a stretch can say (RFC 9559 §10.2).
	maxCluster = 0x7fff - 1
)

// matroska is a file in RFC 9559's format. It can be played from the first
// picture on, while it is written; closing adds its index and length.
type matroska struct {
	to   mkvcore.BlockWriteCloser
	pack func(data []byte) []byte
}

func openMatroska(to *file, first simapp.Coded) (writer, error) {
	track := webm.TrackEntry{
		TrackNumber: videoTrack, TrackUID: videoTrack, TrackType: 1, // video
		Video: &webm.Video{PixelWidth: uint64(first.Size.X), PixelHeight: uint64(first.Size.Y)}, //nolint:gosec // G115: positive
	}
	m := &matroska{}
	var err error
	switch first.Codec {
	case "vp8":
		track.CodecID, m.pack = "V_VP8", func(data []byte) []byte { return data }
	case "h264":
		track.CodecID, m.pack = "V_MPEG4/ISO/AVC", lengthPrefixed
		track.CodecPrivate, err = avcConfiguration(first.Data)
	default:
		err = errors.New("matroska: unknown codec " + first.Codec)
	}
	if err != nil {
		return nil, err
	}
	tracks := []mkvcore.TrackDescription{{TrackNumber: videoTrack, TrackEntry: track}}
	writers, err := mkvcore.NewSimpleBlockWriter(to, tracks,
		mkvcore.WithEBMLHeader(mkv.DefaultEBMLHeader),
		mkvcore.WithSegmentInfo(&webm.Info{TimecodeScale: 1e6, MuxingApp: "ebml-go", WritingApp: "simapp"}),
		mkvcore.WithSeekHead(true), mkvcore.WithCues(indexSize),
		mkvcore.WithMinMaxClusterDuration(videoTrack, clusterTime, maxCluster),
		mkvcore.WithOnFatalHandler(to.note))
	if err != nil {
		return nil, err
	}
	m.to = writers[0]
	return m, nil
}

func (m *matroska) picture(p simapp.Coded, at int64) error {
	_, err := m.to.Write(p.Key, at*1000/rtc.ClockRate, m.pack(p.Data))
	return err
}

// close returns when the library has written and closed the file.
func (m *matroska) close() error { return m.to.Close() }

// avcConfiguration is what a decoder is told before the first picture, the
// AVCDecoderConfigurationRecord of ISO/IEC 14496-15 §5.3.3.1.
func avcConfiguration(key []byte) ([]byte, error) {
	var sps, pps []byte
	for nal := range rtc.NALUnits(key) {
		switch rtc.TypeOf(nal) {
		case rtc.NALSPS:
			sps = nal
		case rtc.NALPPS:
			pps = nal
		default:
		}
	}
	if len(sps) < 4 || len(pps) == 0 || len(sps) > 0xffff || len(pps) > 0xffff {
		return nil, errors.New("matroska: the key picture has no parameter sets")
	}
	record := []byte{1, sps[1], sps[2], sps[3], 0xff, 0xe1}          // lengths have four bytes, one SPS
	record = binary.BigEndian.AppendUint16(record, uint16(len(sps))) //nolint:gosec // G115: bounded above
	record = append(append(record, sps...), 1)                       // one PPS
	record = binary.BigEndian.AppendUint16(record, uint16(len(pps))) //nolint:gosec // G115: bounded above
	return append(record, pps...), nil
}

// lengthPrefixed puts the NAL units of an access unit behind their lengths.
// Parameter sets stay in: they say what has changed since the first picture.
func lengthPrefixed(unit []byte) []byte {
	packed := make([]byte, 0, len(unit))
	for nal := range rtc.NALUnits(unit) {
		packed = binary.BigEndian.AppendUint32(packed, uint32(len(nal))) //nolint:gosec // G115: the assembler bounds it
		packed = append(packed, nal...)
	}
	return packed
}
