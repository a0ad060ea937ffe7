namespace Piku.Core.Deploy;

/// <summary>Whether an app runs, and if not, why (D25).</summary>
public enum AppState
{
    /// <summary>No version of it was ever started.</summary>
    NotDeployed,

    /// <summary>A version of it is live: the emperor has its vassals, nginx its site.</summary>
    Running,

    /// <summary>Somebody stopped it.</summary>
    Stopped,
}
