namespace Postern.Interop.Tests.Server;

/// <summary>
/// The tests that ask a KDC, one class after another: where it is stands in the environment of this process. Each class has a server of its
/// own, which counts failed logins from one place and tells a few of them.
/// </summary>
[CollectionDefinition]
public sealed class KerberosServers;
