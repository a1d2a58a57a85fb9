using System.Collections.Immutable;

namespace Postern.Web.Documents;

/// <summary>What is put up with from the devices of one entry.</summary>
/// <param name="Listeners">By which they come.</param>
/// <param name="Clients">Their networks; empty for everywhere.</param>
/// <param name="Weakened">What is taken from them that is not taken elsewhere.</param>
/// <param name="Text">All of it in one sentence.</param>
internal sealed record DeviceDocument(
    string Name, ImmutableArray<string> Listeners, ImmutableArray<string> Clients, ImmutableArray<string> Weakened, string Text);
