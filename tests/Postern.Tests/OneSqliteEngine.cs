using System.Runtime.CompilerServices;
using Postern.Relay.Accounts.Stores;

namespace Postern.Tests;

/// <summary>
/// Chooses the database engine before any test opens a connection of its own: a handle that one copy of the library made, given to the other, ends the
/// process.
/// </summary>
internal static class OneSqliteEngine
{
#pragma warning disable CA2255 // this is the first moment there is
    [ModuleInitializer]
    internal static void Choose() => _ = SqliteDirectory.Engine;
#pragma warning restore CA2255
}
