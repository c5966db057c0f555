package detect_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"wimz.dev/live/robot/internal/detect"
)

// posed is 17 points in JSON.
var posed = "[" + strings.Repeat("[0.5,0.25,0.9],", detect.PoseLen-1) + "[1.5,-0.5,0]]"

func TestDecode(t *testing.T) {
	now := time.Now()
	pose := make([]detect.Keypoint, detect.PoseLen)
	for i := range pose {
		pose[i] = detect.Keypoint{X: 0.5, Y: 0.25, Confidence: 0.9}
	}
	pose[16] = detect.Keypoint{X: 1.5, Y: -0.5}
	for name, c := range map[string]struct {
		line string
		want detect.Set
	}{
		"nothing": {`{}`, detect.Set{At: now, Objects: []detect.Object{}}},
		"everything": {
			`{"age_ms":40.5,"mode":"Training","objects":[{"class":"dog","name":"Žofka","confidence":0.93,
			"box":[-0.1,0.3,0.25,1],"behaviour":"sit","pose":` + posed + `},{"box":[0,0,0,0],"pose":[]}]}` + "\n",
			detect.Set{At: now.Add(-40500 * time.Microsecond), Mode: "Training", Objects: []detect.Object{
				{
					Class: "dog", Name: "Žofka", Confidence: 0.93, Box: detect.Box{X: -0.1, Y: 0.3, W: 0.25, H: 1},
					Behaviour: "sit", Pose: pose,
				},
				{},
			}},
		},
		"letter and accent are one character": {
			`{"mode":"Z` + "\u030c" + `ofka"}`, detect.Set{At: now, Mode: "Žofka", Objects: []detect.Object{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := detect.Decode([]byte(c.line), now)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	objects := func(o string) string { return `{"objects":[{"box":[0,0,1,1]},` + o + `]}` }
	for line, want := range map[string]string{
		``:                              "not a JSON object",
		`[]`:                            "not a JSON object",
		`{"objects":[`:                  "not a JSON object",
		`{"obejcts":[]}`:                `unknown field "obejcts"`,
		`{} {}`:                         "more than one",
		"{\"mode\":\"\xff\"}":           "not UTF-8",
		`{"mode":"a\nb"}`:               "mode has the control character U+000A",
		`{"age_ms":-1}`:                 "age_ms is -1; use 0 to 60000",
		`{"age_ms":60001}`:              "age_ms is 60001",
		`{"age_ms":1e999}`:              "not a JSON object",
		`{"age_ms":NaN}`:                "not a JSON object",
		objects(`{}`):                   "objects[1].box has 0 numbers; use [left, top, width, height]",
		objects(`{"box":[0,0,1]}`):      "objects[1].box has 3 numbers",
		objects(`{"box":"0,0"}`):        "not a JSON object",
		objects(`{"box":[1e50]}`):       "not a JSON object",
		objects(`{"confidence":2}`):     "objects[1].confidence is 2; use 0 to 1",
		objects(`{"box":[0,640,1,1]}`):  "objects[1].box has the coordinate 640; use fractions",
		objects(`{"box":[0,0,-0.5,1]}`): "objects[1].box is -0.5 wide",
		objects(`{"box":[0,0,1,1],"pose":[[0,0,1]]}`):                                     "objects[1].pose has 1 points; use 17",
		objects(`{"box":[0,0,1,1],"pose":` + swap("0,0") + `}`):                           "objects[1].pose[0] is [0 0]; use [x, y, confidence]",
		objects(`{"box":[0,0,1,1],"pose":` + swap("0,0,1.1") + `}`):                       "objects[1].pose[0] is [0 0 1.1]",
		objects(`{"box":[0,0,1,1],"pose":` + swap("0,3,1") + `}`):                         "objects[1].pose has the coordinate 3",
		objects(`{"name":"` + strings.Repeat("Ž", 65) + `"}`):                             "objects[1].name has 65 characters; use at most 64",
		`{"objects":[` + strings.Repeat(`{"box":[0,0,1,1]},`, 32) + `{"box":[0,0,1,1]}]}`: "33 objects; send at most 32",
		`{"mode":"` + strings.Repeat(" ", 64<<10) + `"}`:                                  "longer than 65536 bytes",
	} {
		if got, err := detect.Decode([]byte(line), time.Now()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: got %+v, %v; want %q", line, got, err, want)
		}
	}
	most := `{"objects":[` + strings.Repeat(`{"box":[0,0,1,1]},`, 31) + `{"box":[0,0,1,1]}]}`
	if s, err := detect.Decode([]byte(most), time.Now()); err != nil || len(s.Objects) != 32 {
		t.Errorf("32 objects: %d, %v", len(s.Objects), err)
	}
}

// swap is posed with another first point.
func swap(first string) string { return strings.Replace(posed, "0.5,0.25,0.9", first, 1) }

// FuzzDecode looks for panics and for detections that pass although they are out of
// bounds.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"age_ms":40,"mode":"x","objects":[{"class":"dog","box":[0,0,1,1],"pose":` + posed + `}]}`))
	f.Add([]byte(`{"objects":[{"name":"\ud800","box":[-1,2,0,1e-40]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		now := time.Now()
		s, err := detect.Decode(data, now)
		if err != nil {
			return
		}
		if age := now.Sub(s.At); age < 0 || age > time.Minute || len(s.Objects) > 32 {
			t.Fatalf("passed: %+v", s)
		}
		for _, o := range s.Objects {
			values := []float32{o.Box.X, o.Box.Y, o.Box.W, o.Box.H, o.Confidence}
			for _, p := range o.Pose {
				values = append(values, p.X, p.Y, p.Confidence)
			}
			for _, v := range values {
				if !(v >= -1 && v <= 2) {
					t.Fatalf("passed: %+v", s)
				}
			}
			if text := fmt.Sprint(o.Class, o.Name, o.Behaviour); strings.ToValidUTF8(text, "") != text || len(text) > 4*3*64 ||
				len(o.Pose) != 0 && len(o.Pose) != detect.PoseLen {
				t.Fatalf("passed: %+v", s)
			}
		}
	})
}
