namespace Postern.Interop.Tests.Server;

/// <summary>The tests that ask a KDC, one after another: where it is stands in the environment of this process.</summary>
[CollectionDefinition]
public sealed class KerberosServers : ICollectionFixture<KerberosServer>;
