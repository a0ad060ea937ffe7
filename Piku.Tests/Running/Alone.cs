namespace Piku.Tests.Running;

/// <summary>For tests that measure this whole process: no other runs at the same time.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
