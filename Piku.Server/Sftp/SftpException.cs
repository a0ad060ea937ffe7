namespace Piku.Server.Sftp;

/// <summary>A request that is not well formed, or that cannot be answered with anything but a status.</summary>
internal sealed class SftpException(StatusCode code, string message) : Exception(message)
{
    public StatusCode Code => code;
}
