import { useTranslation } from 'react-i18next'
import type { CheckRequest } from '../../../core/contract/console.ts'
import { isMethodCovered } from '../../../core/diagnosis/catalogue.ts'
import { familyOf } from '../../../core/model/address.ts'
import { methodNames } from '../../../core/model/dataplane.ts'
import { Notice } from '../../components/notice.tsx'

/** What the checks of this version do not look at for such a service: "ready" must not be read as more than it says. */
export function ChecksLimit({ request }: { readonly request: CheckRequest }) {
  const { t } = useTranslation()
  const isIpv6 = familyOf(request.vip) === 'ipv6'
  if (isMethodCovered(request.forwarding) && !isIpv6) return null
  return (
    <Notice>
      {isIpv6 ? t('wizard.hosts.ipv6') : t('wizard.hosts.partial', { mode: methodNames[request.forwarding] })}
    </Notice>
  )
}
