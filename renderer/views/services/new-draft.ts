/** Id of a draft that does not exist yet; its link can be kept from the first moment. */
export function newDraftId(): string {
  return crypto.randomUUID()
}
