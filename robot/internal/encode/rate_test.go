package encode_test

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/testpattern"
)

func TestBitrateIsKept(t *testing.T) {
	renditions := []struct{ w, h, kbps int }{{1280, 720, 1500}, {640, 368, 400}}
	for _, c := range codecs {
		for _, r := range renditions {
			t.Run(fmt.Sprintf("%s/%d", c, r.w), func(t *testing.T) {
				encoder := open(t, newCamera(r.w, r.h), settings(c, r.w, r.h, r.kbps))
				got := kbps(sizes(t, encoder, 10*fps))
				t.Logf("%.0f kbit/s over 10 s", got)
				if math.Abs(got/float64(r.kbps)-1) > 0.15 {
					t.Errorf("%.0f kbit/s, want %d ± 15 %%", got, r.kbps)
				}
			})
		}
	}
}

func TestBitrateFollowsTheFrameRate(t *testing.T) {
	for _, c := range codecs {
		s := settings(c, 320, 192, 150)
		s.FPS = 30 // twice what kbps assumes
		got := 2 * kbps(sizes(t, open(t, newCamera(320, 192), s), 10*30))
		if math.Abs(got/150-1) > 0.15 {
			t.Errorf("%s: %.0f kbit/s, want 150 ± 15 %%", c, got)
		}
	}
}

func TestSetBitrate(t *testing.T) {
	for _, c := range codecs {
		t.Run(string(c), func(t *testing.T) {
			encoder := open(t, newCamera(640, 368), settings(c, 640, 368, 800))
			sizes(t, encoder, 2*fps)
			for _, target := range []int{300, 1000, 200, 800} {
				if err := encoder.SetBitrate(target); err != nil {
					t.Fatal(err)
				}
				first := kbps(sizes(t, encoder, fps))
				settled := kbps(sizes(t, encoder, 4*fps))
				t.Logf("%d kbit/s: %.0f in the first second, then %.0f", target, first, settled)
				if math.Abs(first/float64(target)-1) > 0.5 {
					t.Errorf("%.0f kbit/s in the first second, want %d ± 50 %%", first, target)
				}
				if math.Abs(settled/float64(target)-1) > 0.15 {
					t.Errorf("%.0f kbit/s, want %d ± 15 %%", settled, target)
				}
			}
		})
	}
}

func TestSetBitrateRefusesNonsense(t *testing.T) {
	for _, c := range codecs {
		encoder := open(t, newCamera(640, 368), settings(c, 640, 368, 400))
		for _, target := range []int{math.MinInt, -1, 0, 15, 14_001, math.MaxInt} {
			if err := encoder.SetBitrate(target); err == nil {
				t.Errorf("%s: %d kbit/s accepted", c, target)
			}
		}
		read(t, encoder)
	}
}

func TestKeyFramesStaySmall(t *testing.T) {
	for _, c := range codecs {
		t.Run(string(c), func(t *testing.T) {
			encoder := open(t, newCamera(960, 544), settings(c, 960, 544, 900))
			mean := sum(sizes(t, encoder, 3*fps)) / (3 * fps)
			checkKeys(t, encoder, c, 5*mean)

			// The bound must hold after a change of the target, too.
			if err := encoder.SetBitrate(450); err != nil {
				t.Fatal(err)
			}
			mean = sum(sizes(t, encoder, 3*fps)) / (3 * fps)
			checkKeys(t, encoder, c, 5*mean)
		})
	}
}

// checkKeys forces five key frames, a second apart.
func checkKeys(t *testing.T, e *encode.Encoder, c encode.Codec, limit int) {
	t.Helper()
	for range 5 {
		e.ForceKeyFrame()
		unit := read(t, e)
		t.Logf("key frame of %d bytes, limit %d", len(unit), limit)
		if !encode.IsKeyFrame(c, unit) || len(unit) >= limit {
			t.Errorf("key frame %v of %d bytes, want fewer than %d", encode.IsKeyFrame(c, unit), len(unit), limit)
		}
		sizes(t, e, fps)
	}
}

func TestStampSurvivesLowBitrate(t *testing.T) {
	for _, c := range codecs {
		for _, size := range [][2]int{{1280, 720}, {960, 544}, {640, 368}} {
			t.Run(fmt.Sprintf("%s/%d", c, size[0]), func(t *testing.T) {
				source := newCamera(size[0], size[1])
				checkStamps(t, source, open(t, source, settings(c, size[0], size[1], 200)), c, 4*fps)
			})
		}
	}
}

// checkStamps encodes and decodes n frames and wants to read every stamp.
func checkStamps(t *testing.T, source *camera, e *encode.Encoder, c encode.Codec, n int) {
	t.Helper()
	decoder := newDecoder(t, c)
	for range n {
		want := source.next
		picture := decoded(t, decoder, read(t, e))
		if got, err := testpattern.Read(picture); err != nil || got != want {
			t.Fatalf("read %v, %v; want %v", got, err, want)
		}
	}
}

func TestTwoEncodersAtOnce(t *testing.T) {
	var group sync.WaitGroup
	for i, c := range []encode.Codec{encode.H264, encode.VP8, encode.H264, encode.VP8} {
		group.Go(func() {
			size := [][2]int{{640, 368}, {960, 544}}[i/2]
			source := newCamera(size[0], size[1])
			encoder, err := encode.New(source, settings(c, size[0], size[1], 500))
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = encoder.Close() }()
			for range 2 * fps {
				_, release, err := encoder.Read()
				if err != nil {
					t.Error(err)
					return
				}
				release()
			}
		})
	}
	group.Wait()
}
