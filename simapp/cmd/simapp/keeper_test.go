package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wimz.dev/live/simapp"
)

// keyPicture is one of H264.
func keyPicture(t *testing.T) simapp.Coded {
	t.Helper()
	data, err := os.ReadFile("../../decode/testdata/h264.clip")
	if err != nil {
		t.Fatal(err)
	}
	data = data[4 : 4+binary.BigEndian.Uint32(data)]
	return simapp.Coded{Codec: "h264", Key: true, Size: image.Pt(320, 192), Data: data}
}

func TestKeeperSaysWhatItHasRecorded(t *testing.T) {
	var said bytes.Buffer
	name := filepath.Join(t.TempDir(), "a.mkv")
	k, err := openKeeper(name, "")
	if err != nil || k.picture() != nil {
		t.Fatal(err)
	}
	p := keyPicture(t)
	k.coded()(p)
	p.Timestamp, p.Size = 90000, image.Pt(160, 96)
	k.coded()(p)
	if got := k.words(); got != name+": 2 pictures, 1s, 320x192, then 160x96" {
		t.Error(got)
	}
	if err = k.close(&app{stderr: &held{to: &said}}); err != nil || said.String() != "simapp: recorded "+name+": 2 pictures, 1s, 320x192, then 160x96\n" {
		t.Errorf("%v, %s", err, said.String())
	}
	if k, err = openKeeper(name, ""); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("%v, %v", k, err)
	}
}

func TestRecordingThatFailsIsNotSilent(t *testing.T) {
	var said bytes.Buffer
	k, err := openKeeper(filepath.Join(t.TempDir(), "a.ivf"), "")
	if err != nil {
		t.Fatal(err)
	}
	k.coded()(keyPicture(t))
	k.coded()(keyPicture(t))
	if got := k.words(); !strings.Contains(got, "has ended") || !strings.Contains(got, "cannot hold h264") {
		t.Error(got)
	}
	if err = k.close(&app{stderr: &held{to: &said}}); err == nil || !strings.Contains(err.Error(), "cannot hold h264") || said.Len() > 0 {
		t.Errorf("%v, %s", err, said.String())
	}
	none, err := openKeeper("", "")
	if err != nil || none.coded() != nil || none.words() != "" || none.close(&app{}) != nil {
		t.Error("something is kept that nobody wants")
	}
}
