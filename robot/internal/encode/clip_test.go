package encode_test

import (
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the clips that the decoder is tested with")

// clips is where package decode keeps its test data: access units, each behind
// its length as a big-endian uint32.
const clips = "../../../simapp/decode/testdata"

// The clips show frames 0…7 of the test picture at 320x192; frames 0 and 4 are
// key frames.
func TestClips(t *testing.T) {
	for _, c := range codecs {
		source := newCamera(320, 192)
		encoder := open(t, source, settings(c, 320, 192, 150))
		var clip []byte
		for i := range 8 {
			if i == 4 {
				encoder.ForceKeyFrame()
			}
			unit := read(t, encoder)
			clip = binary.BigEndian.AppendUint32(clip, uint32(len(unit)))
			clip = append(clip, unit...)
		}
		path := filepath.Join(clips, string(c)+".clip")
		if *update {
			if err := os.WriteFile(path, clip, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%v: run this test with -update", err)
		}
	}
}
