namespace Piku.Server.Sftp;

/// <summary>From the system's errors to what a client is told: never a path of the server's.</summary>
internal static class Errors
{
    private const int NotPermitted = 1, NoEntry = 2, Denied = 13, Exists = 17, CrossDevice = 18, NotAFolder = 20, IsFolder = 21,
        InvalidArgument = 22, NoSpace = 28, ReadOnly = 30, NameTooLong = 36, NotEmpty = 39, TooManyLinks = 40, Quota = 122;

    public static StatusCode Code(Exception failure) => failure switch
    {
        UnauthorizedAccessException => StatusCode.PermissionDenied,
        { HResult: NoEntry or NotAFolder or TooManyLinks } => StatusCode.NoSuchFile,
        { HResult: NotPermitted or Denied or CrossDevice or ReadOnly } => StatusCode.PermissionDenied,
        _ => StatusCode.Failure,
    };

    public static string Sentence(Exception failure) => failure is UnauthorizedAccessException ? "permission denied" : failure.HResult switch
    {
        NoEntry or NotAFolder => "there is no such file or folder",
        TooManyLinks => "too many links follow each other",
        CrossDevice => "that leads out of the app's folder",
        NotPermitted or Denied => "permission denied",
        Exists => "it exists already",
        IsFolder => "it is a folder",
        NotEmpty => "the folder is not empty",
        NoSpace or Quota => "there is no space left",
        NameTooLong => "the name is too long",
        ReadOnly => "it can only be read",
        InvalidArgument => "it is not a file of the right kind",
        _ => "the system refuses it",
    };
}
