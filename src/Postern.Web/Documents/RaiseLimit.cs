using Postern.Relay.Policy.Limits;

namespace Postern.Web.Documents;

/// <param name="Of">Null where the name tells.</param>
/// <param name="Window">In seconds, as <paramref name="Lasts"/>.</param>
internal sealed record RaiseLimit(string Name, string? Of, LimitThing What, long Count, long Window, long Lasts);

/// <param name="What">Null for all that was raised.</param>
internal sealed record UndoLimit(string Name, string? Of, LimitThing? What);
