package record_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wimz.dev/live/robot/testpattern"
	"wimz.dev/live/simapp"
	"wimz.dev/live/simapp/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// frameTicks is the time between two pictures at 15 a second, in RTP's clock.
const frameTicks = 6000

// clip returns pictures 0…7 of the test picture; 0 and 4 are key pictures.
func clip(t *testing.T, codec string) []simapp.Coded {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../decode/testdata", codec+".clip"))
	if err != nil {
		t.Fatal(err)
	}
	var pictures []simapp.Coded
	for i := 0; len(data) > 0; i++ {
		n := binary.BigEndian.Uint32(data)
		pictures = append(pictures, simapp.Coded{
			Codec: codec, Timestamp: uint32(i)*frameTicks - 2*frameTicks, // wraps
			Key: i%4 == 0, Size: image.Pt(320, 192), Data: data[4 : 4+n],
		})
		data = data[4+n:]
	}
	return pictures
}

// small returns pictures of another size; the first is a key picture.
func small(t *testing.T, codec string, from uint32) []simapp.Coded {
	t.Helper()
	args := map[string]string{
		"h264": "-c:v libx264 -profile:v baseline -x264-params aud=1 -f h264",
		"vp8":  "-c:v libvpx -deadline realtime -f ivf",
	}[codec]
	data := run(t, "ffmpeg", append(strings.Fields("-v error -f lavfi -i testsrc2=size=160x96:rate=15:duration=0.2 -g 100"),
		append(strings.Fields(args), "-")...)...)
	var units [][]byte
	if codec == "h264" {
		delimiter := []byte{0, 0, 0, 1, 9}
		for _, unit := range bytes.Split(data, delimiter)[1:] {
			units = append(units, slices.Concat(delimiter, unit))
		}
	} else {
		for data = data[32:]; len(data) > 0; { // behind the header of the file, and of each frame
			n := binary.LittleEndian.Uint32(data)
			units, data = append(units, data[12:12+n]), data[12+n:]
		}
	}
	var pictures []simapp.Coded
	for i, unit := range units {
		pictures = append(pictures, simapp.Coded{
			Codec: codec, Timestamp: from + uint32(i+1)*frameTicks, Key: i == 0, Size: image.Pt(160, 96), Data: unit,
		})
	}
	return pictures
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	var stderr strings.Builder
	command := exec.Command(name, args...)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s (make setup installs ffmpeg)", name, err, &stderr)
	}
	return out
}

// packets returns the times of a file's packets in seconds, with K for key ones.
func packets(t *testing.T, name string) []string {
	t.Helper()
	args := []string{"-v", "error", "-of", "csv=p=0", "-show_entries", "packet=pts_time,flags", name}
	if filepath.Ext(name) == ".mkv" {
		args = append(args, "-fflags", "noparse") // what the file says, not what the pictures do
	}
	out := run(t, "ffprobe", args...)
	return strings.Fields(strings.NewReplacer(",", "", "_", "").Replace(string(out)))
}

// length returns how long a file is, in seconds.
func length(t *testing.T, name string) string {
	t.Helper()
	out := run(t, "ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "format=duration", name)
	return strings.TrimSpace(string(out))
}

// numbers returns the stamps of a file's pictures, as another decoder shows them
// at the clip's size.
func numbers(t *testing.T, name string) []uint32 {
	t.Helper()
	size := image.Pt(320, 192)
	raw := run(t, "ffmpeg", "-v", "error", "-i", name, "-vf", "scale=320:192", "-fps_mode", "passthrough",
		"-pix_fmt", "yuv420p", "-f", "rawvideo", "-")
	var all []uint32
	for ; len(raw) > 0; raw = raw[size.X*size.Y*3/2:] {
		p := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
		copy(p.Y, raw)
		copy(p.Cb, raw[len(p.Y):])
		copy(p.Cr, raw[len(p.Y)+len(p.Cb):])
		stamp, err := testpattern.Read(p)
		if err != nil {
			stamp.Number = noStamp
		}
		all = append(all, stamp.Number)
	}
	return all
}

const noStamp = 1 << 31

func create(t *testing.T, name string) *record.Recorder {
	t.Helper()
	r, err := record.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnotherPlayerSeesWhatWasRecorded(t *testing.T) {
	for _, c := range []struct {
		codec, extension string
		times            bool
	}{{"h264", ".mkv", true}, {"vp8", ".mkv", true}, {"vp8", ".ivf", true}, {"h264", ".h264", false}} {
		t.Run(c.codec+c.extension, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "out"+c.extension)
			r := create(t, name)
			pictures := clip(t, c.codec)
			pictures = append(pictures[2:], small(t, c.codec, pictures[7].Timestamp)...) // joined in the middle
			addAll(t, r, pictures)
			summary, err := r.Close()
			if err != nil || summary.Pictures != 7 || summary.Duration != 6*time.Second/15 ||
				!slices.Equal(summary.Sizes, []image.Point{{320, 192}, {160, 96}}) {
				t.Errorf("%+v, %v", summary, err)
			}
			if got := numbers(t, name); !slices.Equal(got, []uint32{4, 5, 6, 7, noStamp, noStamp, noStamp}) {
				t.Errorf("pictures %v", got)
			}
			if !c.times {
				return
			}
			var want []string
			for i := range 7 {
				key := ""
				if i%4 == 0 {
					key = "K"
				}
				seconds := fmt.Sprintf("%.6f", float64(i)/15)
				if c.extension == ".mkv" { // whole milliseconds, rounded down
					seconds = fmt.Sprintf("%.3f000", float64(i*1000/15)/1000)
				}
				want = append(want, seconds+key)
			}
			if got := packets(t, name); !slices.Equal(got, want) {
				t.Errorf("times %v, want %v", got, want)
			}
			if got := length(t, name); got != "0.400000" {
				t.Errorf("length %s", got)
			}
		})
	}
}

func TestMatroskaHasItsLengthAndAnIndex(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.mkv")
	r := create(t, name)
	pictures := clip(t, "h264")
	for i := range 20 * 60 * 15 { // twenty minutes
		p := pictures[i%8]
		p.Timestamp = uint32(i) * frameTicks
		if err := r.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := length(t, name); got != "1199.933000" {
		t.Errorf("length %s", got)
	}
	out := string(run(t, "ffprobe", "-v", "error", "-of", "csv=p=0", "-read_intervals", "900%+#1", "-show_entries", "packet=pts_time,flags", name))
	var at float64
	if _, err := fmt.Sscanf(out, "%f,K", &at); err != nil || at < 870 || at > 900 {
		t.Errorf("a jump to 900 s leads to %s", out)
	}
}

func addAll(t *testing.T, r *record.Recorder, pictures []simapp.Coded) {
	t.Helper()
	for _, p := range pictures {
		if err := r.Add(p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatIsOnDiskCanBePlayedBeforeTheEnd(t *testing.T) {
	for codec, extension := range map[string]string{"h264": ".mkv", "vp8": ".ivf"} {
		name := filepath.Join(t.TempDir(), "out"+extension)
		r := create(t, name)
		addAll(t, r, clip(t, codec))
		if got := numbers(t, name); len(got) < 7 || got[0] != 0 { // the last one may be on its way
			t.Errorf("%s: pictures %v", extension, got)
		}
		if _, err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNamesThatCannotBeRecorded(t *testing.T) {
	folder := t.TempDir()
	for name, want := range map[string]string{
		"out.mp4": "use .mkv, .ivf or .h264", "out": "use .mkv, .ivf or .h264",
		"no/such/out.mkv": "no such file", "taken.mkv": "is there already",
	} {
		if err := os.WriteFile(filepath.Join(folder, "taken.mkv"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := record.Create(filepath.Join(folder, name)); r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{"a.MKV": "", "a.ivf": "vp8", "a.h264": "h264"} {
		if codec, err := record.Codec(name); codec != want || err != nil {
			t.Errorf("%s: %q, %v", name, codec, err)
		}
	}
}

func TestRecordingWithoutAPictureLeavesNoFile(t *testing.T) {
	for _, extension := range []string{".mkv", ".ivf", ".h264"} {
		name := filepath.Join(t.TempDir(), "out"+extension)
		r := create(t, name)
		if extension == ".ivf" {
			if err := r.Add(clip(t, "h264")[0]); err == nil || !strings.Contains(err.Error(), "cannot hold h264") {
				t.Error(err)
			}
		} else if err := r.Add(clip(t, "h264")[1]); err != nil {
			t.Error(err)
		}
		if _, err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(name); !os.IsNotExist(err) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	broken := clip(t, "h264")[0]
	broken.Data = broken.Data[:20] // an SPS alone
	r := create(t, filepath.Join(t.TempDir(), "out.mkv"))
	if err := r.Add(broken); err == nil || !strings.Contains(err.Error(), "parameter sets") {
		t.Error(err)
	}
	if _, err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhatAFullDiskHoldsHasItsLength(t *testing.T) {
	for codec, extension := range map[string]string{"h264": ".mkv", "vp8": ".ivf"} {
		name := filepath.Join(t.TempDir(), "out"+extension)
		r := create(t, name)
		addAll(t, r, clip(t, codec))
		record.Cut(r)
		if _, err := r.Close(); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: closed with %v", extension, err)
		}
		if got := length(t, name); !strings.HasPrefix(got, "0.4") {
			t.Errorf("%s: length %s", extension, got)
		}
	}
}

func TestFullDiskIsAnErrorAndNoWait(t *testing.T) {
	for _, extension := range []string{".mkv", ".ivf", ".h264"} {
		r := create(t, filepath.Join(t.TempDir(), "out"+extension))
		if err := record.Fill(r); err != nil {
			t.Fatal(err)
		}
		pictures := clip(t, map[string]string{".mkv": "h264", ".ivf": "vp8", ".h264": "h264"}[extension])
		var failed error
		for _, p := range pictures { // what has failed does not wait for the rest
			failed = r.Add(p)
		}
		if failed == nil || !strings.Contains(failed.Error(), "no space left") {
			t.Errorf("%s: %v", extension, failed)
		}
		if _, err := r.Close(); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: closed with %v", extension, err)
		}
	}
}
