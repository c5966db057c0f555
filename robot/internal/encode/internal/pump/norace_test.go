//go:build !race

package pump_test

const raceEnabled = false
