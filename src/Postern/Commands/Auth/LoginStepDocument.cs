namespace Postern.Commands.Auth;

/// <summary>One message of a login.</summary>
/// <param name="What">What was sent, without anything that is secret.</param>
internal sealed record LoginStepDocument(string Who, string What);
