import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refusalOf } from "./address-guard.js";

const refused = [
  ...["0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255"],
  ...["127.0.0.1", "127.255.255.255", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255"],
  ...["192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255"],
  ...["198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16"],
  ...[
    "::",
    "::1",
    "::127.0.0.1",
    "::7f00:1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
  ],
  ...["::ffff:168.63.129.16", "::ffff:0:8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::8.8.8.8"],
  ...["100::1", "2001::1", "2001:0:53aa:64c::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "4000::1"],
  ...["5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "[::1]"],
  ...[
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "0x7f.0.0.1",
    "010.8.8.8",
    "2130706433",
    "1.2.3.4 ",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "12345::1",
  ],
];
const allowed = [
  ...[
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
  ],
  ...["169.255.0.1", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0"],
  ...["223.255.255.255", "168.63.129.15", "168.63.129.17", "2606:4700:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2a00:1450::1"],
  ...["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b::808:808", "3ffe::1", "[2606:4700::1]"],
];

describe("which addresses are public (T11)", () => {
  it.each(refused)("refuses %s", (address) => {
    expect(refusalOf(address)).not.toBeNull();
  });
  it.each(allowed)("allows %s", (address) => {
    expect(refusalOf(address)).toBeNull();
  });

  it("judges an IPv6 address alike in every way of writing it", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const canonical = new URL(`http://[${address}]/`).hostname;
        expect(refusalOf(address)).toBe(refusalOf(canonical));
      }),
    );
  });

  it("takes for an address exactly what the runtime takes for one", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.stringMatching(/^[0-9a-f:.]{1,20}$/)), (text) => {
        if (text.includes("[") || text.includes("%")) return;
        expect(refusalOf(text) !== "not an address").toBe(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });
});
