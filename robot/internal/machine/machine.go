// Package machine reads what the board says of itself: how warm it is, and
// whether heat or a weak power supply slow it down.
package machine

import (
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
)

// State is what was read. What a machine does not tell is nil.
type State struct {
	// Celsius is the temperature of the warmest zone.
	Celsius *float64 `json:"celsius,omitempty"`
	// Power is what the firmware of a Raspberry Pi watches.
	Power *Power `json:"power,omitempty"`
}

// Power is what a Raspberry Pi's firmware has noticed, now or since it started.
type Power struct {
	UnderVoltage     bool `json:"under_voltage"`      // now: the supply is too weak
	Throttled        bool `json:"throttled"`          // now: slowed down, because of that or of heat
	HadUnderVoltage  bool `json:"had_under_voltage"`  // since the start
	HadBeenThrottled bool `json:"had_been_throttled"` // since the start
}

// The bits of the firmware's get_throttled.
const (
	underVoltage = 1 << 0
	capped       = 1 << 1
	throttled    = 1 << 2
	tooWarm      = 1 << 3
	slow         = capped | throttled | tooWarm
	since        = 16 // the same bits again, for: since the start
)

// Read reads sysfs, which is /sys as os.DirFS gives it.
func Read(sysfs fs.FS) State { return State{Celsius: celsius(sysfs), Power: power(sysfs)} }

// celsius is the kernel's thermal zones, in thousandths of a degree.
func celsius(sysfs fs.FS) *float64 {
	var warmest *float64
	zones, _ := fs.Glob(sysfs, "class/thermal/thermal_zone*/temp")
	for _, zone := range zones {
		text, err := fs.ReadFile(sysfs, zone)
		if err != nil {
			continue // a sensor that is switched off
		}
		milli, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
		if err != nil || math.IsNaN(milli) {
			continue
		}
		if degrees := milli / 1000; warmest == nil || degrees > *warmest {
			warmest = &degrees
		}
	}
	return warmest
}

// power is one hexadecimal number; its place differs between boards.
func power(sysfs fs.FS) *Power {
	files, _ := fs.Glob(sysfs, "devices/platform/soc*/soc*:firmware/get_throttled")
	nested, _ := fs.Glob(sysfs, "devices/platform/soc*/*/soc*:firmware/get_throttled")
	for _, file := range slices.Concat(files, nested) {
		text, err := fs.ReadFile(sysfs, file)
		if err != nil {
			continue
		}
		number := strings.TrimPrefix(strings.TrimSpace(string(text)), "0x")
		bits, err := strconv.ParseUint(number, 16, 32)
		if err != nil {
			continue
		}
		return &Power{
			UnderVoltage: bits&underVoltage != 0, Throttled: bits&slow != 0,
			HadUnderVoltage: bits>>since&underVoltage != 0, HadBeenThrottled: bits>>since&slow != 0,
		}
	}
	return nil
}
