namespace Piku.Tests.Interop;

/// <summary>Makes a folder, puts a file there, lists it, renames it, gets it back, and removes all of it.</summary>
/// <param name="File">To be put.</param>
/// <param name="Folder">At the server.</param>
/// <param name="Copy">Where it comes back to.</param>
internal sealed record SftpErrand(string File, string Folder, string Copy)
{
    public string First => $"{Folder}/first";

    public string Second => $"{Folder}/second";

    /// <summary>As a batch of sftp and of those that are like it.</summary>
    public string Batch(string rename = "rename") => $"""
        mkdir {Folder}
        put {File} {First}
        ls {Folder}
        {rename} {First} {Second}
        get {Second} {Copy}
        rm {Second}
        rmdir {Folder}

        """;
}
