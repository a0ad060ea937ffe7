namespace Piku.Server.Sftp;

/// <summary>What someone may do with the files of an app.</summary>
internal enum Access
{
    None,
    Read,
    Write,
}
