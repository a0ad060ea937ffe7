namespace Piku.Core.Machine;

/// <summary>What stat(2) says of a file.</summary>
/// <param name="Mode">Type and permissions, as st_mode.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Accessed">Seconds since 1970, UTC; as <paramref name="Modified"/>.</param>
public readonly record struct FileStatus(ushort Mode, ulong Size, uint User, uint Group, uint Links, long Accessed, long Modified)
{
    private const int TypeMask = 0xF000, Folder = 0x4000, Regular = 0x8000, Link = 0xA000;

    public bool IsFolder => (Mode & TypeMask) == Folder;

    public bool IsRegular => (Mode & TypeMask) == Regular;

    public bool IsLink => (Mode & TypeMask) == Link;

    public UnixFileMode Permissions => (UnixFileMode)(Mode & 0xFFF);
}
