package machine_test

import (
	"encoding/json"
	"testing"
	"testing/fstest"

	"wimz.dev/live/robot/internal/machine"
)

func TestRead(t *testing.T) {
	const (
		zone0, zone1 = "class/thermal/thermal_zone0/temp", "class/thermal/thermal_zone1/temp"
		pi4          = "devices/platform/soc/soc:firmware/get_throttled"
		pi5          = "devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
	)
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing":     {nil, `{}`},
		"warmest":     {map[string]string{zone0: "47236\n", zone1: "51000\n"}, `{"celsius":51}`},
		"frost":       {map[string]string{zone0: "-5500\n"}, `{"celsius":-5.5}`},
		"no number":   {map[string]string{zone0: "warm\n", pi4: "zz\n"}, `{}`},
		"all is well": {map[string]string{pi4: "0\n"}, `{"power":{"under_voltage":false,"throttled":false,"had_under_voltage":false,"had_been_throttled":false}}`},
		"weak supply": {map[string]string{pi4: "50005\n"}, `{"power":{"under_voltage":true,"throttled":true,"had_under_voltage":true,"had_been_throttled":true}}`},
		"was too warm": {
			map[string]string{pi5: "0x80000\n"},
			`{"power":{"under_voltage":false,"throttled":false,"had_under_voltage":false,"had_been_throttled":true}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			sysfs := fstest.MapFS{}
			for file, text := range c.files {
				sysfs[file] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := json.Marshal(machine.Read(sysfs))
			if err != nil || string(got) != c.want {
				t.Errorf("read %s, %v; want %s", got, err, c.want)
			}
		})
	}
}
