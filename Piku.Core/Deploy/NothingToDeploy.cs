namespace Piku.Core.Deploy;

/// <summary>A story that has its app finds that no version is to be brought up: its wish is fulfilled already, or was so by writing it down.</summary>
internal sealed class NothingToDeploy() : Exception("nothing is to be deployed");
