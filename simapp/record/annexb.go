package record

import (
	"bytes"

	"wimz.dev/live/simapp"
)

// annexB is a file of access units one after the other, without times.
type annexB struct{ to *file }

func openAnnexB(to *file, _ simapp.Coded) (writer, error) { return annexB{to}, nil }

func (f annexB) picture(p simapp.Coded, _ int64) error {
	_, err := f.to.Write(p.Data)
	return err
}

func (annexB) close() error { return nil }

// nalUnits returns the NAL units of an access unit without the start codes between
// them (H.264 §B.1). No unit ends with a zero.
func nalUnits(unit []byte) [][]byte {
	var units [][]byte
	for part := range bytes.SplitSeq(unit, []byte{0, 0, 1}) {
		if part = bytes.TrimRight(part, "\x00"); len(part) > 0 {
			units = append(units, part)
		}
	}
	return units
}
