"""The simulated charge point behind `secc.simulator`: physics, orders, faults and reports, time as an argument."""
