namespace Piku.Server.Ssh.Admission;

/// <summary>What a connection has done wrong as a whole.</summary>
internal enum Fault
{
    None,

    /// <summary>It ended without a try to authenticate.</summary>
    NoTry,

    /// <summary>All its tries failed.</summary>
    Failure,

    /// <summary>It let the time for authentication pass.</summary>
    Silence,
}
