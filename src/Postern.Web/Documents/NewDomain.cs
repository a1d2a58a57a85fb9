namespace Postern.Web.Documents;

/// <param name="Accepts">Mail to it is taken.</param>
internal sealed record NewDomain(bool Accepts = false);
