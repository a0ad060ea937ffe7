using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Piku.Core.Machine;

/// <summary>
/// The settings of a terminal (termios(3)), with the opcodes of RFC 4254, section 8, and RFC 8160. Values are those of
/// <c>asm-generic/termbits.h</c>, which hold on every architecture that we are built for.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TerminalModes
{
    /// <summary>In the protocol, a key that is not assigned; to the kernel that is 0 (_POSIX_VDISABLE).</summary>
    private const uint NoKey = 255;

    /// <summary>Opcodes of special keys, with their places in c_cc.</summary>
    private static readonly FrozenDictionary<byte, int> Keys = new Dictionary<byte, int>
    {
        [1] = 0, // VINTR
        [2] = 1, // VQUIT
        [3] = 2, // VERASE
        [4] = 3, // VKILL
        [5] = 4, // VEOF
        [6] = 11, // VEOL
        [7] = 16, // VEOL2
        [8] = 8, // VSTART
        [9] = 9, // VSTOP
        [10] = 10, // VSUSP
        [12] = 12, // VREPRINT
        [13] = 14, // VWERASE
        [14] = 15, // VLNEXT
        [16] = 7, // VSWTC
        [18] = 13, // VDISCARD
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<byte, uint> InputFlags = new Dictionary<byte, uint>
    {
        [30] = 0x4, // IGNPAR
        [31] = 0x8, // PARMRK
        [32] = 0x10, // INPCK
        [33] = 0x20, // ISTRIP
        [34] = 0x40, // INLCR
        [35] = 0x80, // IGNCR
        [36] = 0x100, // ICRNL
        [37] = 0x200, // IUCLC
        [38] = 0x400, // IXON
        [39] = 0x800, // IXANY
        [40] = 0x1000, // IXOFF
        [41] = 0x2000, // IMAXBEL
        [42] = 0x4000, // IUTF8
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<byte, uint> LocalFlags = new Dictionary<byte, uint>
    {
        [50] = 0x1, // ISIG
        [51] = 0x2, // ICANON
        [52] = 0x4, // XCASE
        [53] = 0x8, // ECHO
        [54] = 0x10, // ECHOE
        [55] = 0x20, // ECHOK
        [56] = 0x40, // ECHONL
        [57] = 0x80, // NOFLSH
        [58] = 0x100, // TOSTOP
        [59] = 0x8000, // IEXTEN
        [60] = 0x200, // ECHOCTL
        [61] = 0x800, // ECHOKE
        [62] = 0x4000, // PENDIN
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<byte, uint> OutputFlags = new Dictionary<byte, uint>
    {
        [70] = 0x1, // OPOST
        [71] = 0x2, // OLCUC
        [72] = 0x4, // ONLCR
        [73] = 0x8, // OCRNL
        [74] = 0x10, // ONOCR
        [75] = 0x20, // ONLRET
    }.ToFrozenDictionary();

    // struct termios of glibc and musl
    private uint _input;
    private uint _output;
    private uint _control;
    private uint _local;
    private byte _line;
    private SpecialKeys _keys;
    private uint _inputSpeed;
    private uint _outputSpeed;

    /// <summary>
    /// Takes one mode over. Speeds, parity and character sizes are those of a wire that is not there, and are left alone,
    /// as is what is unknown.
    /// </summary>
    public void Set(byte opcode, uint value)
    {
        if (Keys.TryGetValue(opcode, out var key))
            _keys[key] = value == NoKey ? (byte)0 : (byte)value;
        else if (InputFlags.TryGetValue(opcode, out var input))
            Set(ref _input, input, value);
        else if (LocalFlags.TryGetValue(opcode, out var local))
            Set(ref _local, local, value);
        else if (OutputFlags.TryGetValue(opcode, out var output))
            Set(ref _output, output, value);
    }

    private static void Set(ref uint flags, uint flag, uint value) => flags = value == 0 ? flags & ~flag : flags | flag;

    [InlineArray(32)]
    private struct SpecialKeys
    {
        private byte _first;
    }
}
